//! The stubs that a runtime brings along: programs beside its own.

use std::path::Path;

use protocol::Code as Number;
use protocol::frame::ComponentKind;

use super::{Catalogues, Content, Package, failure, unread, unsealed};
use crate::rooms::catalogue::elsewhere::{SHIPPED, SHIPPED_PROVIDER};
use crate::rooms::catalogue::trust::Seal;
use crate::rooms::catalogue::{Found, PackageFailure, parse};
use crate::shell::beneath::Place;

/// Their names, and what stands in place of their descriptors' files.
const STUBS: [(&str, &str); 1] = [(
    "catalogue",
    r#"{
        "name": "catalogue",
        "language": "native",
        "network": [{ "host": "*", "port": 443, "protocol": "tcp", "count": 32 }]
    }"#,
)];

impl Catalogues {
    /// Reads one of them.
    pub(super) fn brought(
        &self,
        kind: ComponentKind,
        name: &str,
    ) -> Result<Package, PackageFailure> {
        let stub = STUBS.iter().find(|(stub, _)| *stub == name);
        let stub = stub.filter(|_| kind == ComponentKind::ProtoStub);
        let (Some((name, descriptor)), Some(folder)) = (stub, &self.own_programs) else {
            let reason = format!("no stub `{name}` comes with this runtime");
            return Err(failure(Number::NOT_FOUND, reason));
        };
        let found = Found {
            file: SHIPPED,
            name,
            kind,
            provider: SHIPPED_PROVIDER,
            domain: &self.domain,
        };
        let parsed = parse(descriptor.as_bytes(), found)?;
        let file = format!("stub-{name}");
        let source = folder.join(&file);
        let opened = Place::open(folder).and_then(|place| place.file(&file));
        let opened = opened.map_err(|e| unread(&source, &e, "a program of this runtime"))?;
        let sealed = self
            .sealed(opened, &file)
            .map_err(|e| unsealed(Path::new(&source), &e))?;
        let digest = sealed.digest.clone();
        Ok(Package {
            parsed,
            content: Content::Program(sealed),
            digest,
            source,
            seal: Seal::Own,
        })
    }
}
