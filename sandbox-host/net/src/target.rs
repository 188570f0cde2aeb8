//! Where an address leads: scheme, host and port.

use url::{Host, Url};

use crate::error::{Error, quoted};

/// Where a request is sent, taken from its address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Target {
    pub(crate) is_secure: bool,
    /// A name in ASCII, or an address without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Target {
    /// Takes `http` and `https`, or `ws` and `wss`.
    pub(crate) fn of(url: &Url, schemes: [&str; 2]) -> Result<Self, Error> {
        let scheme = url.scheme();
        let Some(place) = schemes.iter().position(|known| *known == scheme) else {
            let [plain, secure] = schemes;
            return Err(unusable(
                url,
                &format!("its scheme is neither `{plain}` nor `{secure}`"),
            ));
        };
        let is_secure = place == 1;
        let host = match url.host() {
            Some(Host::Domain(name)) => name.trim_end_matches('.').to_owned(),
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => address.to_string(),
            None => String::new(),
        };
        if host.is_empty() {
            return Err(unusable(url, "it names no host"));
        }
        // Tokens in addresses end up in logs.
        if !url.username().is_empty() || url.password().is_some() {
            return Err(unusable(
                url,
                "it carries a user or a password; send them in a header",
            ));
        }
        let usual = if is_secure { 443 } else { 80 };
        let port = url.port().unwrap_or(usual);
        if port == 0 {
            return Err(unusable(url, "nobody can listen on port 0"));
        }
        Ok(Self {
            is_secure,
            host,
            port,
        })
    }

    /// As errors name it.
    pub(crate) fn name(&self) -> &str {
        &self.host
    }
}

/// Reads an address; the error names it.
pub(crate) fn parse(text: &str) -> Result<Url, Error> {
    Url::parse(text).map_err(|error| Error::Url {
        url: shown(text),
        why: error.to_string(),
    })
}

pub(crate) fn unusable(url: &Url, why: &str) -> Error {
    Error::Url {
        url: shown(url.as_str()),
        why: why.to_owned(),
    }
}

/// Without user, query and fragment: tokens travel there.
pub(crate) fn shown(url: &str) -> String {
    let place = url.split(['?', '#']).next().unwrap_or_default();
    let place = match (place.split_once("://"), place.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://{rest}"),
        _ => place.to_owned(),
    };
    quoted(&place)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<(bool, String, u16), String> {
        let url = parse(text).map_err(|error| error.to_string())?;
        let target = Target::of(&url, ["http", "https"]).map_err(|error| error.to_string())?;
        Ok((target.is_secure, target.host, target.port))
    }

    #[test]
    fn an_address_leads_to_a_host_and_a_port() {
        let host = |name: &str| name.to_owned();

        assert_eq!(
            check("http://a.example/x"),
            Ok((false, host("a.example"), 80))
        );
        assert_eq!(
            check("https://A.example."),
            Ok((true, host("a.example"), 443))
        );
        assert_eq!(
            check("https://a.example:8443"),
            Ok((true, host("a.example"), 8443))
        );
        assert_eq!(check("http://[::1]:1"), Ok((false, host("::1"), 1)));
        assert_eq!(check("http://0x7f.1"), Ok((false, host("127.0.0.1"), 80)));
        assert_eq!(
            check("https://bücher.example"),
            Ok((true, host("xn--bcher-kva.example"), 443))
        );
    }

    #[test]
    fn an_address_that_cannot_be_used_is_named_without_its_secrets() {
        let error = |text| check(text).err().unwrap_or_default();

        assert_eq!(
            error("ftp://a.example/?token=1"),
            "cannot use `ftp://a.example/`: its scheme is neither `http` nor `https`"
        );
        assert_eq!(
            error("https://ann:secret@a.example/p"),
            "cannot use `https://a.example/p`: it carries a user or a password; send them in a header"
        );
        assert!(error("http://a.example:0").contains("port 0"));
        assert!(error("a.example").contains("relative URL"));
        assert!(!error("https://ann:secret@[bad/").contains("secret"));
    }
}
