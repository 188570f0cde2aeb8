//! Bytes that may be a package: what is read is written again to the same bytes, or
//! is signed by somebody; nothing else passes.
use hyperty_package::{Contents, pack, rights};

/// Reads the bytes.
pub fn read(bytes: &[u8]) {
    let asked = rights::asked(bytes);
    assert!(rights::grown(&asked, &asked).is_empty());
    let Ok(package) = hyperty_package::read(bytes) else {
        return;
    };
    let manifest = &package.manifest;
    for listed in &manifest.files {
        let content = package.file(&listed.name).expect("what is listed is there");
        assert_eq!(content.len() as u64, listed.bytes);
        assert!(hyperty_package::is_plain(&listed.name));
    }
    if let Ok(None) = package.verify() {
        let files = package
            .files()
            .map(|(name, content)| (name.to_owned(), content.to_vec()));
        let contents = Contents {
            provider: manifest.provider.clone(),
            kind: manifest.kind,
            name: manifest.name.clone(),
            version: manifest.version,
            expires: manifest.expires.clone(),
            files: files.collect(),
        };
        assert_eq!(pack(&contents).expect("it was packed once"), bytes);
    }
}
