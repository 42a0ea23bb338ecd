//! Files among the parts of a message: by an address, as a `data:` URL, or as base64.

use base64::Engine as _;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use serde_json::{Map, Value};

use super::super::fields::refused;
use super::super::wire::percent_decode;
use crate::memory::{File, FileKind, FileSource, Problem, WebAddress, plain};

/// The types of parts, and what they hold.
const TYPES: [(&str, FileKind); 7] = [
    ("image_url", FileKind::Image),
    ("input_image", FileKind::Image),
    ("pdf_url", FileKind::Pdf),
    ("txt_url", FileKind::Text),
    ("mdx_url", FileKind::Text),
    ("md_url", FileKind::Text),
    ("text_url", FileKind::Text),
];

/// Characters of an address that its placeholder shows.
const SHOWN: usize = 200;

/// Base64 with its padding or without.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A part that can be read.
#[derive(Debug, PartialEq)]
pub(super) enum Part {
    /// A text that came with it.
    Text(String),
    /// A file that a job reads.
    File(File),
}

/// Reads a part that is no text: `{"type": "image_url", "image_url": {"url": ...}}`, where the URL may stand directly
/// too. `None` of a type that is not known.
///
/// # Errors
/// When it is of a known type, and neither an address nor a file of its kind.
pub(super) fn read(part: &Map<String, Value>) -> Result<Option<Part>, Problem> {
    let named = part.get("type").and_then(Value::as_str);
    let found = TYPES.iter().find(|(name, _)| match named {
        Some(named) => named.trim().eq_ignore_ascii_case(name),
        None => part.contains_key(*name),
    });
    let Some((name, kind)) = found else {
        return Ok(None);
    };
    let value = part.get(*name).or_else(|| part.get("image_url"));
    let url = value.and_then(|value| value.get("url").unwrap_or(value).as_str());
    let url = url.map(str::trim).filter(|url| !url.is_empty());
    let url = url.ok_or_else(|| {
        refused(
            "bad_file",
            format!("a part of the type {name} must be {{\"type\": \"{name}\", \"{name}\": {{\"url\": \"...\"}}}}"),
        )
    })?;
    let bad = |why: &str| {
        refused(
            "bad_file",
            format!("the URL of a part of the type {name} cannot be used: {why}"),
        )
    };
    let start = url.get(..5).unwrap_or_default();
    let bytes = if start.eq_ignore_ascii_case("data:") {
        let (declared, data) = url.split_once(',').ok_or_else(|| bad("it holds no data"))?;
        match declared.to_ascii_lowercase().ends_with(";base64") {
            true => decoded(&percent_decode(data)),
            false => Some(percent_decode(data).into_bytes()),
        }
    } else if url.contains("://") {
        let address = WebAddress::read(url).map_err(|error| bad(&error.to_string()))?;
        let shown: String = format!("{}{}", address.origin(), address.path());
        let shown: String = shown.chars().take(SHOWN).collect();
        return Ok(Some(Part::File(File {
            kind: *kind,
            source: FileSource::Url(url.to_owned()),
            placeholder: format!("[{}: {shown}]", kind.as_str()),
        })));
    } else {
        decoded(url)
    };
    let expected = format!(
        "it is neither an address of https:// nor base64 of {}",
        kind.forms()
    );
    let known = bytes.and_then(|bytes| Some((kind.media_type(&bytes)?, bytes)));
    let (media_type, bytes) = known.ok_or_else(|| bad(&expected))?;
    if let (FileKind::Text, Some(text)) = (kind, plain(&bytes)) {
        return Ok(Some(Part::Text(text.to_owned())));
    }
    let kilobytes = bytes.len().div_ceil(1_000);
    Ok(Some(Part::File(File {
        kind: *kind,
        source: FileSource::Base64(STANDARD.encode(&bytes)),
        placeholder: format!("[{}: {media_type}, {kilobytes} KB]", kind.as_str()),
    })))
}

/// The bytes of base64 in any of its common forms, with line breaks or without.
fn decoded(base64: &str) -> Option<Vec<u8>> {
    let plain = base64.bytes().filter(|byte| !byte.is_ascii_whitespace());
    let plain = plain.map(|byte| match byte {
        b'-' => b'+',
        b'_' => b'/',
        byte => byte,
    });
    LENIENT.decode(plain.collect::<Vec<u8>>()).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

    fn of(part: Value) -> Result<Option<Part>, String> {
        let Value::Object(part) = part else {
            panic!("no part: {part}")
        };
        super::read(&part).map_err(|problem| format!("{}: {}", problem.code, problem.message))
    }

    fn file(kind: FileKind, source: FileSource, placeholder: &str) -> Result<Option<Part>, String> {
        Ok(Some(Part::File(File {
            kind,
            source,
            placeholder: placeholder.to_owned(),
        })))
    }

    #[test]
    fn an_address_is_read_wherever_it_stands() {
        let url = "https://example.com/a/x.png?size=2";
        let by_url = |kind: FileKind| {
            let shown = format!("[{}: https://example.com/a/x.png]", kind.as_str());
            file(kind, FileSource::Url(url.to_owned()), &shown)
        };
        for (part, kind) in [
            (
                json!({"type": "image_url", "image_url": {"url": url}}),
                FileKind::Image,
            ),
            (
                json!({"type": "image_url", "image_url": {"url": url, "detail": "low"}}),
                FileKind::Image,
            ),
            (
                json!({"type": "image_url", "image_url": url}),
                FileKind::Image,
            ),
            (json!({"image_url": {"url": url}}), FileKind::Image),
            (
                json!({"type": "input_image", "image_url": url}),
                FileKind::Image,
            ),
            (
                json!({"type": "pdf_url", "pdf_url": {"url": url}}),
                FileKind::Pdf,
            ),
            (
                json!({"type": "txt_url", "txt_url": {"url": url}}),
                FileKind::Text,
            ),
            (
                json!({"type": "mdx_url", "mdx_url": {"url": url}}),
                FileKind::Text,
            ),
        ] {
            assert_eq!(of(part.clone()), by_url(kind), "{part}");
        }
    }

    #[test]
    fn what_came_along_is_read_at_once() {
        let image = file(
            FileKind::Image,
            FileSource::Base64(PNG.to_owned()),
            "[image: image/png, 1 KB]",
        );
        for url in [
            format!("data:image/png;base64,{PNG}"),
            format!("DATA:;base64,{}", PNG.trim_end_matches('=')),
            format!(
                "data:image/jpeg;base64,{}",
                PNG.replace('+', "%2B").replace('/', "_")
            ),
            format!("{}\n{}", &PNG[..40], &PNG[40..]),
        ] {
            assert_eq!(
                of(json!({"type": "image_url", "image_url": {"url": url}})),
                image,
                "{url}"
            );
        }
        let pdf = of(json!({"type": "pdf_url", "pdf_url": {"url": "JVBERi0xLjcKJQ=="}}));
        assert_eq!(
            pdf,
            file(
                FileKind::Pdf,
                FileSource::Base64("JVBERi0xLjcKJQ==".to_owned()),
                "[pdf: application/pdf, 1 KB]"
            )
        );
        for url in [
            "data:text/plain;base64,aMOkbGxv",
            "data:,h%C3%A4llo",
            "aMOkbGxv",
        ] {
            let text = Ok(Some(Part::Text("hällo".to_owned())));
            assert_eq!(
                of(json!({"type": "mdx_url", "mdx_url": {"url": url}})),
                text,
                "{url}"
            );
        }
    }

    #[test]
    fn what_is_no_file_says_why() {
        for (part, expected) in [
            (json!({"type": "image_url"}), "bad_file"),
            (
                json!({"type": "image_url", "image_url": {"url": 7}}),
                "bad_file",
            ),
            (json!({"type": "image_url", "image_url": " "}), "bad_file"),
            (
                json!({"type": "image_url", "image_url": "x.png"}),
                "base64 of a PNG",
            ),
            (
                json!({"type": "image_url", "image_url": "ftp://example.com/x.png"}),
                "https://",
            ),
            (
                json!({"type": "image_url", "image_url": "https://u:p@example.com/x.png"}),
                "user name",
            ),
            (
                json!({"type": "image_url", "image_url": "data:image/png;base64"}),
                "no data",
            ),
            (
                json!({"type": "image_url", "image_url": "data:image/png;base64,JVBERi0xLjcK"}),
                "base64 of a PNG",
            ),
            (json!({"type": "pdf_url", "pdf_url": "aGVsbG8="}), "a PDF"),
            (
                json!({"type": "txt_url", "txt_url": "/9j/4A=="}),
                "plain text",
            ),
        ] {
            let refused = of(part.clone()).unwrap_err();
            assert!(refused.contains(expected), "{part}: {refused}");
        }
        assert_eq!(
            of(json!({"type": "input_audio", "input_audio": {}})),
            Ok(None)
        );
        assert_eq!(of(json!({})), Ok(None));
    }
}
