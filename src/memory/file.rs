//! Files that come with messages.

use serde::{Deserialize, Serialize};

/// What can be read of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FileKind {
    /// A PNG, JPEG, GIF or WebP image.
    Image,
    /// A PDF document.
    Pdf,
    /// Plain text in UTF-8: Markdown, JSON, XML and the like.
    Text,
}

impl FileKind {
    /// The name in placeholders and notes.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Pdf => "pdf",
            Self::Text => "text",
        }
    }

    /// What it may be, in words.
    pub fn forms(self) -> &'static str {
        match self {
            Self::Image => "a PNG, JPEG, GIF or WebP image",
            Self::Pdf => "a PDF document",
            Self::Text => "plain text in UTF-8",
        }
    }

    /// The most bytes that are read of one. An isolate has 128 MB for everything, and a file is held several times while
    /// it is sent to a model.
    pub fn limit(self) -> usize {
        match self {
            Self::Image | Self::Pdf => 4 << 20,
            Self::Text => 1 << 20,
        }
    }

    /// The media type, by the first bytes and not by what a server says; `None` when it is no file of this kind.
    pub fn media_type(self, bytes: &[u8]) -> Option<&'static str> {
        match self {
            Self::Image => match bytes {
                [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
                [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
                [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
                [
                    b'R',
                    b'I',
                    b'F',
                    b'F',
                    _,
                    _,
                    _,
                    _,
                    b'W',
                    b'E',
                    b'B',
                    b'P',
                    ..,
                ] => Some("image/webp"),
                _ => None,
            },
            Self::Pdf => bytes.starts_with(b"%PDF-").then_some("application/pdf"),
            Self::Text => plain(bytes).map(|_| "text/plain"),
        }
    }
}

/// A text without a byte order mark; `None` when the bytes are none.
pub fn plain(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    (!text.contains('\0')).then_some(text)
}

/// Where a file is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FileSource {
    /// At this address.
    Url(String),
    /// Here, in standard base64.
    Base64(String),
}

/// A file that came with a message and is still to be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// What it should be.
    pub kind: FileKind,
    /// Where it is.
    pub source: FileSource,
    /// The words in the message that stand for it until it is read.
    pub placeholder: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_known_by_its_first_bytes() {
        for (bytes, expected) in [
            (&b"\x89PNG\r\n\x1a\n...."[..], Some("image/png")),
            (b"\xff\xd8\xff\xe0....", Some("image/jpeg")),
            (b"GIF89a....", Some("image/gif")),
            (b"RIFF\x01\x02\x03\x04WEBPVP8 ", Some("image/webp")),
            (b"RIFF\x01\x02\x03\x04WAVEfmt ", None),
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>", None),
            (b"<html>not an image</html>", None),
            (b"%PDF-1.7", None),
            (b"", None),
        ] {
            assert_eq!(FileKind::Image.media_type(bytes), expected, "{bytes:?}");
        }
        assert_eq!(
            FileKind::Pdf.media_type(b"%PDF-1.7\n"),
            Some("application/pdf")
        );
        assert_eq!(FileKind::Pdf.media_type(b"PK\x03\x04"), None);
        assert_eq!(
            FileKind::Text.media_type("ä".as_bytes()),
            Some("text/plain")
        );
        assert_eq!(FileKind::Text.media_type(b"\xe4"), None);
        assert_eq!(plain(b"\xef\xbb\xbfhi"), Some("hi"));
        assert_eq!(plain(b"a\0b"), None);
    }
}
