//! From where files in messages may be fetched.

use super::error::{ConfigError, ConfigProblem};
use crate::memory::WebAddress;
use crate::model::files::Origins;

const ORIGINS: &str = "EDGEMEM_FETCH_ORIGINS";

/// Reads the variable; `None` when nothing is to be fetched at all.
///
/// # Errors
/// When one is no origin.
pub(super) fn origins(
    variable: impl Fn(&'static str) -> Option<String>,
) -> Result<Option<Origins>, ConfigError> {
    let Some(list) = variable(ORIGINS) else {
        return Ok(Some(Origins::default()));
    };
    if list.eq_ignore_ascii_case("none") {
        return Ok(None);
    }
    let listed = list.split(',').map(str::trim);
    let listed = listed.filter(|origin| !origin.is_empty()).map(|origin| {
        let read = WebAddress::read(origin).ok();
        let read = read.filter(|address| address.to_string() == format!("{}/", address.origin()));
        let read = read.map(|address| address.origin());
        read.ok_or_else(|| ConfigError {
            variable: ORIGINS,
            problem: ConfigProblem::UnknownWord {
                found: origin.to_owned(),
                expected: "none, or origins such as http://files.internal:8080, separated by commas",
            },
        })
    });
    Ok(Some(Origins(listed.collect::<Result<_, _>>()?)))
}
