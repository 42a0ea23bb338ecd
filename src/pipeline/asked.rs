//! The words of a question, taken apart once for all that look for them.

use crate::compact::OrderedSet;
use crate::index::{Language, question_terms, terms};

/// A question's words.
pub(super) struct Asked<'a> {
    /// The question.
    pub text: &'a str,
    /// Each of its words, by the terms that it has in the languages of the memories.
    pub words: Vec<Vec<String>>,
    /// Its terms in English, as which names are compared.
    pub english: OrderedSet<String>,
    /// These and its terms in its own language.
    pub own: OrderedSet<String>,
}

impl<'a> Asked<'a> {
    /// Of a question to memories in some languages.
    pub fn new(text: &'a str, languages: &[Language]) -> Self {
        let words = question_terms(text, languages);
        let english: OrderedSet<String> = match languages {
            // They are the same then.
            [] | [Language::English] => words.iter().flatten().cloned().collect(),
            _ => terms(text, Language::English).into_iter().collect(),
        };
        let own = match Language::of(text) {
            Language::English => english.clone(),
            other => {
                let own = question_terms(text, &[Language::English, other]);
                own.into_iter().flatten().collect()
            }
        };
        Self {
            text,
            words,
            english,
            own,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_taken_apart_alike_however_few_languages_there_are() {
        for text in [
            "Where did Ada's friends move to in May?",
            "Wo sind die Häuser von Ada?",
        ] {
            let few = Asked::new(text, &[Language::English]);
            let many = Asked::new(text, &Language::ALL);
            assert_eq!(few.english, many.english);
            assert_eq!(few.own, many.own);
        }
    }
}
