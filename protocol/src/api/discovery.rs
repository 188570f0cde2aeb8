//! Discovery (`/discovery`): searches among what is registered (spec messaging §8.1).
//!
//! `read` [`Query`] → `value`: an array of records, or one record for a search by
//! `url`. Nothing found is 404 with `value: []`; what only a registry elsewhere could
//! know (a GUID, a profile) is 500 with `value: []`.
//!
//! At `domain://registry.<domain>` the same room answers as that domain's registry,
//! for the domains whose components run here: a [`Query`] whose `resource` is a user,
//! an address, a GUID or a name → `value`: records by address, or one record.

use serde::{Deserialize, Serialize};

/// Where the room lives under the runtime's address.
pub const PATH: &str = "discovery";

/// What is searched.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Query {
    /// `/<kind>/<selector>/<value>`: kind `hyperty` or `dataObject`; selector `user`,
    /// `url`, `name`, `reporter`, `guid` or `userprofile`. `/<kind>` alone takes all
    /// that match the criteria.
    pub resource: String,
    /// What the records must have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub criteria: Option<Criteria>,
}

/// What records must have. Empty lists and absent members match everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Criteria {
    /// Each of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<Vec<String>>,
    /// Each of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_schemes: Option<Vec<String>>,
    /// The domain of their address. The runtime's own, and the asker's, stand for
    /// everything that is here: libraries name it without being asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// For a domain's registry: the hyperty that reports the objects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reporter: Option<String>,
}

/// A hyperty, as registries describe it (spec messaging §6.8).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hyperty {
    /// Its address.
    #[serde(rename = "hypertyID")]
    pub id: String,
    /// For whom it acts.
    #[serde(rename = "userID")]
    pub user: String,
    /// The same person as a GUID.
    pub guid: String,
    /// Where its descriptor is: `hyperty-catalogue://…`.
    pub descriptor: String,
    /// When it was registered first, `2026-01-31T23:59:59Z`.
    pub starting_time: String,
    /// When its registration changed last.
    pub last_modified: String,
    /// Seconds that the registration holds.
    pub expires: u64,
    /// What it offers.
    pub resources: Vec<String>,
    /// The schemes of its data objects.
    pub data_schemes: Vec<String>,
    /// `live` or `disconnected`.
    pub status: String,
    /// The runtime it is in.
    pub runtime: String,
}

/// A data object, likewise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DataObject {
    /// Its address.
    pub url: String,
    /// Its name.
    pub name: String,
    /// The address of its schema.
    pub schema: String,
    /// The hyperty that reports it.
    pub reporter: String,
    /// When it was registered first.
    pub starting_time: String,
    /// When its registration changed last.
    pub last_modified: String,
    /// Seconds that the registration holds.
    pub expires: u64,
    /// What it carries.
    pub resources: Vec<String>,
    /// Its schemes.
    pub data_schemes: Vec<String>,
    /// `live` or `disconnected`.
    pub status: String,
    /// The runtime it is in.
    pub runtime: String,
}
