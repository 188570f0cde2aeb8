use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

use super::lock::utc;
use super::*;

struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("instance-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn claim(&self) -> Result<Instance, InstanceError> {
        Instance::claim(&self.0.join("data"), &self.0.join("run"), 1_700_000_000)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_second_supervisor_is_told_who_the_first_is() {
    let place = Place::new("second");
    let _first = place.claim().unwrap();

    let refused = place.claim().unwrap_err().to_string();

    let own = format!(
        "pid {}, build {}",
        std::process::id(),
        protocol::version::BUILD
    );
    assert!(refused.contains(&own), "{refused}");
}

#[test]
fn times_are_told_by_the_calendar() {
    assert_eq!(utc(0), "1970-01-01T00:00:00Z");
    assert_eq!(utc(951_782_400), "2000-02-29T00:00:00Z");
    assert_eq!(utc(1_795_256_880), "2026-11-21T10:28:00Z");
    assert_eq!(utc(4_107_542_399), "2100-02-28T23:59:59Z");
}

#[test]
fn a_runtime_directory_is_not_shared_either() {
    let place = Place::new("shared");
    let _first = place.claim().unwrap();

    let second = Instance::claim(&place.0.join("other"), &place.0.join("run"), 0);

    assert!(matches!(second, Err(InstanceError::InUse { path, .. }) if path.ends_with("run")));
}

#[test]
fn the_lock_of_one_that_ended_does_not_hold() {
    let place = Place::new("ended");
    drop(place.claim().unwrap());

    assert!(place.claim().is_ok());
}

#[test]
fn a_stale_socket_is_removed_under_the_lock() {
    let place = Place::new("stale");
    drop(place.claim().unwrap());
    fs::write(place.0.join("run/bus.sock"), "").unwrap();

    let again = place.claim().unwrap();

    assert!(!again.socket.exists());
}

#[test]
fn directories_are_private_from_birth() {
    let place = Place::new("private");

    let _instance = place.claim().unwrap();

    let mode = |name| fs::metadata(place.0.join(name)).unwrap().mode() & 0o777;
    assert_eq!((mode("data"), mode("run")), (0o700, 0o700));
}

#[test]
fn a_directory_that_others_can_write_to_is_not_taken() {
    let place = Place::new("open");
    fs::create_dir(place.0.join("data")).unwrap();
    fs::set_permissions(place.0.join("data"), Permissions::from_mode(0o777)).unwrap();

    assert!(matches!(
        place.claim(),
        Err(InstanceError::NotPrivate { .. })
    ));
}

#[test]
fn a_link_is_not_taken_for_a_directory() {
    let place = Place::new("link");
    fs::create_dir(place.0.join("elsewhere")).unwrap();
    std::os::unix::fs::symlink("elsewhere", place.0.join("run")).unwrap();

    assert!(matches!(
        place.claim(),
        Err(InstanceError::NotPrivate { .. })
    ));
}

#[test]
fn the_address_stays_the_same() {
    let place = Place::new("address");
    let first = place.claim().unwrap().address("a.example").unwrap();

    let second = place.claim().unwrap().address("a.example").unwrap();

    assert_eq!(first, second);
    assert!(
        first
            .to_string()
            .starts_with("hyperty-runtime://a.example/")
    );
}

#[test]
fn a_damaged_identity_is_not_replaced() {
    let place = Place::new("damaged");
    let instance = place.claim().unwrap();
    fs::write(place.0.join("data/runtime.toml"), "id = ").unwrap();

    let error = instance.address("a.example").unwrap_err().to_string();

    assert!(
        error.contains("move it away to become a new runtime"),
        "{error}"
    );
    assert_eq!(
        fs::read_to_string(place.0.join("data/runtime.toml")).unwrap(),
        "id = "
    );
}

#[test]
fn a_full_disk_leaves_nothing_half_written() {
    let place = Place::new("full");
    fs::create_dir_all(place.0.join("data")).unwrap();
    let full = nix::mount::mount(
        Some("tmpfs"),
        &place.0.join("data"),
        Some("tmpfs"),
        nix::mount::MsFlags::empty(),
        Some("size=4k,mode=0700"),
    );
    if let Err(error) = full {
        eprintln!("skipped: no tmpfs can be mounted here: {error}");
        return;
    }
    // The lock takes the only page there is.
    let claimed = place.claim();
    let address = claimed
        .as_ref()
        .map(|instance| instance.address("a.example"));
    let left = place.0.join("data/runtime.toml").exists();
    let _ = nix::mount::umount2(&place.0.join("data"), nix::mount::MntFlags::MNT_DETACH);

    let error = address.unwrap().unwrap_err().to_string();
    assert!(
        error.contains("No space left") && error.contains("--data-dir"),
        "{error}"
    );
    assert!(!left);
}

#[test]
fn a_directory_that_cannot_be_made_is_named_with_a_remedy() {
    let claimed = Instance::claim(Path::new("/proc/nowhere"), Path::new("/proc/nowhere"), 0);

    let error = claimed.unwrap_err().to_string();

    assert!(error.starts_with("cannot make `/proc/nowhere`"), "{error}");
    assert!(error.contains("--data-dir"), "{error}");
}
