//! Who stands for the code of a component.

/// Where a package came from, as people are told everywhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// The number of the key that signed it; `unsigned`, or `shipped`.
    pub signer: String,
    /// `<provider>/<kind>/<name>` of a signed package.
    pub item: String,
    /// Its version.
    pub version: String,
    /// `blake3:…` of it.
    pub package: String,
}
