use hyperty_package::Rights;

use super::*;

const ACME: &str = "acme.example";
const KEY: &str = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";

fn signed(version: &str, key: &str, rights: &[&str]) -> Seal {
    Seal::Signed(Box::new(Signed {
        item: "acme.example/hyperty/Echo".to_owned(),
        key: key.to_owned(),
        key_id: format!("id of {key}"),
        version: version.parse().unwrap(),
        digest: format!("blake3:{version}{}", rights.concat()),
        rights: rights
            .iter()
            .map(|right| ((*right).to_owned(), 1))
            .collect::<Rights>(),
        expired: None,
    }))
}

/// `runs`, `waits` or `refused`, with the reason.
fn judge(trust: &mut Trust, seal: &Seal) -> String {
    match trust.judge(ACME, seal, 1) {
        Judged::Runs(..) => "runs".to_owned(),
        Judged::Waits { why, .. } => format!("waits: {why}"),
        Judged::Refused(why) => format!("refused: {why}"),
    }
}

/// What a supervisor that was started again knows.
fn again(trust: &mut Trust, seals: &[Seal]) -> Trust {
    let mut later = Trust::default();
    for seal in seals {
        let (Judged::Runs(changes, _) | Judged::Waits { changes, .. }) = trust.judge(ACME, seal, 1)
        else {
            panic!("refused");
        };
        for change in changes {
            let Change { table, key, value } = change;
            let value = value.unwrap();
            later.restore(&Record { table, key, value });
        }
    }
    later
}

#[test]
fn unsigned_packages_are_of_named_directories_only() {
    let judged = |unsigned, is_fetched| {
        let mut trust = Trust {
            unsigned,
            ..Trust::default()
        };
        judge(&mut trust, &Seal::Unsigned { is_fetched })
    };

    assert_eq!(judged(Unsigned::Directories, false), "runs");
    assert!(judged(Unsigned::Directories, true).contains("--unsigned"));
    assert_eq!(judged(Unsigned::All, true), "runs");
    assert!(judged(Unsigned::None, false).starts_with("refused"));
}

#[test]
fn who_signs_cannot_be_taken_for_one_who_does_not() {
    let mut trust = Trust::default();
    judge(&mut trust, &signed("1.0.0", "one", &[]));

    let judged = judge(&mut trust, &Seal::Unsigned { is_fetched: false });

    assert!(judged.starts_with("refused"), "{judged}");
}

#[test]
fn the_first_key_is_the_providers() {
    let mut trust = Trust::default();

    assert_eq!(judge(&mut trust, &signed("1.0.0", "one", &[])), "runs");
    assert_eq!(judge(&mut trust, &signed("1.1.0", "one", &[])), "runs");
    let other = judge(&mut trust, &signed("1.2.0", "another", &[]));
    assert!(other.contains("hyperty keys add"), "{other}");
}

#[test]
fn the_operators_key_comes_before_the_first() {
    let mut trust = Trust::default();
    trust
        .keys
        .configure(&[format!("{ACME}={KEY}").parse().unwrap()]);

    assert!(judge(&mut trust, &signed("1.0.0", "one", &[])).starts_with("refused"));
    assert_eq!(judge(&mut trust, &signed("1.0.0", KEY, &[])), "runs");
    assert!(trust.keys.remove(ACME, "").is_err());
}

#[test]
fn keys_come_and_go_by_the_operators_word() {
    let mut trust = Trust::default();

    trust.keys.add(&format!("{ACME}={KEY}"), 1).unwrap();
    assert_eq!(judge(&mut trust, &signed("1.0.0", KEY, &[])), "runs");
    trust.keys.remove(ACME, KEY).unwrap();
    assert_eq!(trust.keys.iter().count(), 0);
    assert!(trust.keys.remove(ACME, KEY).is_err());
    assert!(trust.keys.add("acme.example=RWnothing", 1).is_err());
}

#[test]
fn versions_only_grow_also_when_everything_else_was_lost() {
    let mut trust = Trust::default();
    let mut later = again(
        &mut trust,
        &[signed("1.0.0", "one", &[]), signed("2.0.0", "one", &[])],
    );

    let older = judge(&mut later, &signed("1.0.0", "one", &[]));
    assert!(older.contains("older than 2.0.0"), "{older}");
    let same = judge(&mut later, &signed("2.0.0", "one", &["another"]));
    assert!(same.contains("higher number"), "{same}");
    assert_eq!(judge(&mut later, &signed("2.0.1", "one", &[])), "runs");
}

#[test]
fn wider_rights_wait_and_the_old_release_goes_on() {
    let mut trust = Trust::default();
    let (old, new) = (
        signed("1.0.0", "one", &["a"]),
        signed("2.0.0", "one", &["a", "b"]),
    );
    judge(&mut trust, &old);

    assert_eq!(
        judge(&mut trust, &new),
        "waits: version 2.0.0 asks for more than 1.0.0: b"
    );
    assert_eq!(judge(&mut trust, &old), "runs");
    let (digest, grown, _) = trust.approve("acme.example/hyperty/Echo").unwrap();

    assert_eq!(
        (digest.as_str(), grown),
        ("blake3:2.0.0ab", vec!["b".to_owned()])
    );
    assert_eq!(judge(&mut trust, &new), "runs");
    assert!(judge(&mut trust, &old).starts_with("refused"));
    assert!(trust.approve("acme.example/hyperty/Echo").is_err());
}

#[test]
fn after_going_back_nothing_newer_comes_by_itself() {
    let mut trust = Trust::default();
    let (old, new) = (signed("1.0.0", "one", &[]), signed("2.0.0", "one", &[]));
    judge(&mut trust, &old);
    judge(&mut trust, &new);

    let (digest, ..) = trust.roll_back("acme.example/hyperty/Echo").unwrap();

    assert_eq!(digest, "blake3:1.0.0");
    assert_eq!(judge(&mut trust, &old), "runs");
    assert!(judge(&mut trust, &new).starts_with("waits"));
    assert!(judge(&mut trust, &signed("3.0.0", "one", &[])).starts_with("waits"));
    assert!(judge(&mut trust, &signed("0.9.0", "one", &[])).starts_with("refused"));
    trust.approve("acme.example/hyperty/Echo").unwrap();
    assert!(judge(&mut trust, &new).starts_with("refused"));
    assert_eq!(trust.releases().len(), 2);
}
