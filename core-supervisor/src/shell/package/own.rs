//! The stubs that a runtime brings along: programs beside its own.
//!
//! Each is one more package to the core, with a descriptor that is made here: of the
//! table below, or for a message node that the operator named (`shipped.rs`).

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
    /// Reads a stub of the table.
    pub(super) fn stub(&self, kind: ComponentKind, name: &str) -> Result<Package, PackageFailure> {
        let stub = STUBS.iter().find(|(stub, _)| *stub == name);
        let stub = stub.filter(|_| kind == ComponentKind::ProtoStub);
        let Some((name, descriptor)) = stub else {
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
        self.own(&format!("stub-{name}"), descriptor, found)
    }

    /// The package of a program beside the supervisor's own, with this descriptor.
    pub(super) fn own(
        &self,
        program: &str,
        descriptor: &str,
        found: Found<'_>,
    ) -> Result<Package, PackageFailure> {
        let parsed = parse(descriptor.as_bytes(), found)?;
        let folder = self.own_programs.as_ref().ok_or_else(|| {
            let reason =
                format!("`{program}` comes with a runtime that is installed; this is none");
            failure(Number::NOT_FOUND, reason)
        })?;
        let source = folder.join(program);
        let opened = Place::open(folder).and_then(|place| place.file(program));
        let opened = opened.map_err(|e| unread(&source, &e, "a program of this runtime"))?;
        let sealed = self
            .sealed(opened, program)
            .map_err(|e| unsealed(&source, &e))?;
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
