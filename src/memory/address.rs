//! Addresses on the web that others choose, and whether something may be sent there.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use thiserror::Error;

/// The longest address, in bytes.
const MAX_LENGTH: usize = 8_192;

/// Names of this machine and of what is around it: what is asked there is not meant for the outside.
const INSIDE: [&str; 8] = [
    "localhost",
    "local",
    "internal",
    "intranet",
    "private",
    "lan",
    "home",
    "home.arpa",
];

/// The address of HTTP or HTTPS, read so strictly that nobody reads another host in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebAddress {
    is_secure: bool,
    /// In lower case, without a dot at its end; of IPv6 with its brackets.
    host: String,
    /// Unless it is the scheme's own.
    port: Option<u16>,
    /// Path and query, in ASCII; begins with a slash.
    rest: String,
}

impl WebAddress {
    /// Reads an absolute address. A fragment is dropped; what no address may hold is written as `%XX`.
    ///
    /// # Errors
    /// See [`AddressError`].
    pub fn read(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        if text.len() > MAX_LENGTH {
            return Err(AddressError::TooLong);
        }
        let (scheme, rest) = text.split_once("://").ok_or(AddressError::Scheme)?;
        let is_secure = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err(AddressError::Scheme),
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at_checked(end).ok_or(AddressError::Host)?;
        if authority.contains('@') {
            return Err(AddressError::Credentials);
        }
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, Some(port)),
            _ => (authority, None),
        };
        let port = match port {
            Some(digits) => Some(port_of(digits).ok_or(AddressError::Host)?),
            None => None,
        };
        let standard = if is_secure { 443 } else { 80 };
        let rest = rest.split('#').next().unwrap_or_default();
        let slash = if rest.starts_with('/') { "" } else { "/" };
        Ok(Self {
            is_secure,
            host: host_of(host).ok_or(AddressError::Host)?,
            port: port.filter(|port| *port != standard),
            rest: format!("{slash}{}", escaped(rest)),
        })
    }

    /// Where a redirect leads, from here.
    ///
    /// # Errors
    /// See [`AddressError`].
    pub fn join(&self, location: &str) -> Result<Self, AddressError> {
        let location = location.trim();
        let before = location.split(['/', '?', '#']).next().unwrap_or_default();
        if before.contains(':') {
            return Self::read(location);
        }
        if location.starts_with("//") {
            let scheme = if self.is_secure { "https" } else { "http" };
            return Self::read(&format!("{scheme}:{location}"));
        }
        let path = self.path();
        let rest = match location.chars().next() {
            Some('/') => location.to_owned(),
            Some('?') => format!("{path}{location}"),
            Some('#') | None => self.rest.clone(),
            Some(_) => {
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                format!("{folder}/{location}")
            }
        };
        Self::read(&format!("{}{rest}", self.origin()))
    }

    /// Scheme, host and port.
    pub fn origin(&self) -> String {
        let scheme = if self.is_secure { "https" } else { "http" };
        match self.port {
            Some(port) => format!("{scheme}://{}:{port}", self.host),
            None => format!("{scheme}://{}", self.host),
        }
    }

    /// The path, without the query.
    pub fn path(&self) -> &str {
        self.rest.split('?').next().unwrap_or_default()
    }

    /// Whether the port is the scheme's own.
    pub fn has_standard_port(&self) -> bool {
        self.port.is_none()
    }

    /// Whether it is one of HTTPS that does not lead to this machine or into a private network, as far as the address
    /// alone can tell: a name that resolves to an address inside looks like any other.
    pub fn is_public(&self) -> bool {
        self.is_secure && !is_inside(&self.host)
    }
}

impl fmt::Display for WebAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin(), self.rest)
    }
}

/// A host in lower case, when it is a name or an address and nothing that programs read differently.
fn host_of(host: &str) -> Option<String> {
    let host = host.to_ascii_lowercase();
    if let Some(inner) = host.strip_prefix('[') {
        let inner = inner.strip_suffix(']')?;
        let is_of_address = |c: char| c.is_ascii_hexdigit() || matches!(c, ':' | '.');
        return inner.chars().all(is_of_address).then_some(host);
    }
    let host = host.strip_suffix('.').unwrap_or(&host);
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let is_label = |label: &str| (1..=63).contains(&label.len()) && label.chars().all(is_of_name);
    (host.len() <= 253 && host.split('.').all(is_label)).then(|| host.to_owned())
}

fn port_of(digits: &str) -> Option<u16> {
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok()).flatten()
}

/// Path and query with everything as `%XX` that is not plain there.
fn escaped(rest: &str) -> String {
    let mut escaped = String::with_capacity(rest.len());
    for byte in rest.bytes() {
        match byte {
            b'!' | b'#'..=b';' | b'=' | b'?'..=b'[' | b']' | b'_' | b'a'..=b'z' | b'~' => {
                escaped.push(char::from(byte));
            }
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

/// Whether a host is this machine or of a private network.
fn is_inside(host: &str) -> bool {
    if let Some(inner) = host.strip_prefix('[') {
        let address = inner.trim_end_matches(']').parse::<Ipv6Addr>();
        return !address.is_ok_and(is_global_v6);
    }
    if is_number(host.rsplit('.').next().unwrap_or_default()) {
        // In its plain spelling: programs differ in how they read others.
        return !host.parse().is_ok_and(is_global_v4);
    }
    let is_under = |name: &str| {
        host.strip_suffix(name)
            .is_some_and(|left| left.is_empty() || left.ends_with('.'))
    };
    !host.contains('.') || INSIDE.into_iter().any(is_under)
}

/// Whether the last part of a host makes it an IPv4 address to those who read addresses as browsers do.
fn is_number(part: &str) -> bool {
    let hex = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    part.bytes().all(|byte| byte.is_ascii_digit()) || part.strip_prefix("0x").is_some_and(hex)
}

/// <https://www.iana.org/assignments/iana-ipv4-special-registry>
fn is_global_v4(address: Ipv4Addr) -> bool {
    !matches!(
        address.octets(),
        [0 | 10 | 127 | 224..=255, ..]
            | [100, 64..128, ..]
            | [169, 254, ..]
            | [172, 16..32, ..]
            | [192, 0, 0 | 2, _]
            | [192, 88, 99, _]
            | [192, 168, ..]
            | [198, 18 | 19, ..]
            | [198, 51, 100, _]
            | [203, 0, 113, _]
    )
}

/// <https://www.iana.org/assignments/iana-ipv6-special-registry>: what is assigned to the world is in 2000::/3, but for
/// tunnels, which hold an address of IPv4, and examples.
fn is_global_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        [0x2001, 0..0x200, ..] | [0x2001, 0xdb8, ..] | [0x2002, ..] | [0x3fff, 0..0x1000, ..] => {
            false
        }
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

/// Why a text is no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AddressError {
    /// Neither HTTP nor HTTPS.
    #[error("it must begin with https://")]
    Scheme,
    /// It names a user.
    #[error("it must not hold a user name or a password")]
    Credentials,
    /// The host or the port is none.
    #[error("it names no host: write names of other alphabets in their form for machines (xn--…)")]
    Host,
    /// Too long.
    #[error("it is longer than {MAX_LENGTH} bytes")]
    TooLong,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, AddressError> {
        WebAddress::read(text).map(|address| address.to_string())
    }

    #[test]
    fn an_address_is_read_to_one_spelling() {
        for (text, expected) in [
            ("https://example.com", "https://example.com/"),
            (" HTTPS://Example.COM:443/A#b ", "https://example.com/A"),
            ("https://example.com./a?b#c", "https://example.com/a?b"),
            ("https://example.com?q=1", "https://example.com/?q=1"),
            ("http://example.com:80/", "http://example.com/"),
            ("http://127.0.0.1:8080/x", "http://127.0.0.1:8080/x"),
            ("https://[2606:4700::ABCD]/", "https://[2606:4700::abcd]/"),
            (
                "https://example.com/ä b\\c\"%20",
                "https://example.com/%C3%A4%20b%5Cc%22%20",
            ),
            ("https://example.com/a@b:c", "https://example.com/a@b:c"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_says_why() {
        for (text, expected) in [
            ("", AddressError::Scheme),
            ("example.com/x.png", AddressError::Scheme),
            ("ftp://example.com/", AddressError::Scheme),
            ("file:///etc/passwd", AddressError::Scheme),
            ("https://", AddressError::Host),
            ("https:///etc/passwd", AddressError::Host),
            ("https://user@example.com/", AddressError::Credentials),
            ("https://example.com@127.0.0.1/", AddressError::Credentials),
            ("https://example.com:0x50/", AddressError::Host),
            ("https://example.com:99999/", AddressError::Host),
            ("https://example.com:+80/", AddressError::Host),
            ("https://exa mple.com/", AddressError::Host),
            (
                "https://example.com\\@127.0.0.1/",
                AddressError::Credentials,
            ),
            ("https://example.com\\.evil.com/", AddressError::Host),
            ("https://127.0.0.1%2f.example.com/", AddressError::Host),
            ("https://１２７.0.0.1/", AddressError::Host),
            ("https://ex\u{ad}ample.com/", AddressError::Host),
            ("https://a..b.com/", AddressError::Host),
            ("https://[::1/", AddressError::Host),
            ("https://[::1%25eth0]/", AddressError::Host),
            ("https://[example.com]/", AddressError::Host),
        ] {
            assert_eq!(read(text), Err(expected), "{text}");
        }
        let long = format!("https://example.com/{}", "a".repeat(MAX_LENGTH));
        assert_eq!(read(&long), Err(AddressError::TooLong));
    }

    #[test]
    fn a_public_address_does_not_lead_inside() {
        for (host, expected) in [
            ("example.com", true),
            ("sub.example.co.uk", true),
            ("xn--bcher-kva.example", true),
            ("localhost.example.com", true),
            ("thelocal.se", true),
            ("1.example.com", true),
            ("93.184.216.34", true),
            ("8.8.8.8", true),
            ("172.32.0.1", true),
            ("[2606:4700::1111]", true),
            ("localhost", false),
            ("LOCALHOST.", false),
            ("a.localhost", false),
            ("printer.local", false),
            ("metadata.google.internal", false),
            ("router.lan", false),
            ("nas.home.arpa", false),
            ("intranet", false),
            ("127.0.0.1", false),
            ("127.0.0.1.", false),
            ("127.1", false),
            ("2130706433", false),
            ("0x7f000001", false),
            ("0x7f.1", false),
            ("0177.0.0.1", false),
            ("0", false),
            ("0.0.0.0", false),
            ("010.0.0.1", false),
            ("10.1.2.3", false),
            ("012.1.2.3", false),
            ("8.8.2056", false),
            ("100.64.0.1", false),
            ("169.254.169.254", false),
            ("0xa9fea9fe", false),
            ("2852039166", false),
            ("172.16.0.1", false),
            ("172.31.255.255", false),
            ("192.168.0.1", false),
            ("192.0.2.1", false),
            ("198.18.0.1", false),
            ("224.0.0.1", false),
            ("255.255.255.255", false),
            ("256.256.256.256", false),
            ("1.2.3.4.5", false),
            ("example.1", false),
            ("example.0x", false),
            ("[]", false),
            ("[1.2.3.4]", false),
            ("[::]", false),
            ("[::1]", false),
            ("[::ffff:127.0.0.1]", false),
            ("[::ffff:8.8.8.8]", false),
            ("[::7f00:1]", false),
            ("[64:ff9b::7f00:1]", false),
            ("[2002:7f00:1::]", false),
            ("[2001::1]", false),
            ("[2001:db8::1]", false),
            ("[fc00::1]", false),
            ("[fd00::1]", false),
            ("[fe80::1]", false),
            ("[fec0::1]", false),
            ("[ff02::1]", false),
        ] {
            let address = WebAddress::read(&format!("https://{host}/x")).unwrap();
            assert_eq!(address.is_public(), expected, "{host}");
        }
        assert!(!WebAddress::read("http://example.com/").unwrap().is_public());
    }

    #[test]
    fn a_redirect_leads_where_it_says() {
        let here = WebAddress::read("https://example.com/a/b.png?q=1").unwrap();
        for (location, expected) in [
            ("https://other.example/x", "https://other.example/x"),
            ("//other.example/x", "https://other.example/x"),
            ("/x", "https://example.com/x"),
            ("c.png", "https://example.com/a/c.png"),
            ("../c.png", "https://example.com/a/../c.png"),
            ("?q=2", "https://example.com/a/b.png?q=2"),
            ("x?at=a:b", "https://example.com/a/x?at=a:b"),
            ("", "https://example.com/a/b.png?q=1"),
            ("http://127.0.0.1/", "http://127.0.0.1/"),
        ] {
            let there = here.join(location).unwrap();
            assert_eq!(there.to_string(), expected, "{location}");
        }
        assert_eq!(here.join("data:text/plain,x"), Err(AddressError::Scheme));
        assert_eq!(
            here.join("//u@other.example/"),
            Err(AddressError::Credentials)
        );
        assert_eq!(
            here.join("\\\\127.0.0.1\\x").unwrap().origin(),
            "https://example.com"
        );
    }
}
