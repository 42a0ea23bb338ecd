use proptest::prelude::*;

use super::super::{intent, mentions};
use super::{SAID, check, moment};

#[test]
fn what_is_no_time() {
    let texts = [
        "You may want this.",
        "This may be wrong.",
        "We march on.",
        "They march 5 miles.",
        "The second option",
        "just a second",
        "He sat down.",
        "The sun is hot.",
        "I wed her.",
        "port 8080",
        "version 1.2.23",
        "v2023.1",
        "$2023",
        "2023 items",
        "in 2022 cases",
        "I paid 1,999 dollars",
        "10.0.0.1",
        "http://example.com/2019/05/07x",
        "ISO 8601-1234",
        "room 2023",
        "April said hi",
        "June is my sister",
        "a total of 2023 items",
        "Mark jan 12.5",
        "May I come in?",
        "It may 5 times fail",
        "at 3 pm",
        "last minute",
        "next day delivery",
        "5/7 of them",
        "3-5 people",
        "ratio 3:2",
        "call 555-2023",
        "Hier ist das Buch",
        "Mars is red",
        "I have 3 days",
        "two weeks of work",
        "spring water",
        "Fall in love",
        "the other one",
        "an apple",
        "1990 people",
        "page 2021",
        "I love Christmas",
        "Second, we go",
        "Q&A",
        "the 5th element",
        "99 bottles",
        "CVE-2024-1234",
        "Je veux un mars",
        "9.99 €",
        "to 2000 people",
        "my 90s",
        "Sun Microsystems",
        "May Smith",
        "今の気分",
        "天气很好",
        "안내일",
    ];
    assert!(texts.len() >= 40);
    check(&texts.map(|text| (text, "")));
}

fn sound(text: &str, said: i64) -> Result<(), TestCaseError> {
    let said = crate::memory::Moment::from_seconds(said);
    let mut before = 0;
    for mention in mentions(text, said) {
        prop_assert!(
            text.get(mention.range.clone())
                .is_some_and(|t| !t.is_empty()),
            "{mention:?}"
        );
        prop_assert!(mention.range.start >= before);
        before = mention.range.end;
        if let Some(span) = mention.span {
            prop_assert!(span.from < span.until);
            super::super::words(span);
        }
    }
    intent(text, said);
    Ok(())
}

/// Texts of words that mean something, in any order.
fn babble() -> impl Strategy<Value = String> {
    let words = [
        "last",
        "two",
        "weeks",
        "ago",
        "before",
        "May",
        "7",
        "2023",
        "-",
        ",",
        "from",
        "to",
        "between",
        "and",
        "every",
        "Friday",
        "since",
        "until",
        "in",
        "the",
        "90s",
        "9999",
        "0",
        "31",
        "year",
        "day",
        "vor",
        "Tagen",
        "去年",
        "5",
        "月",
        "日",
        "前",
        "から",
        "지난",
        "주",
        "3-5",
        "15:30",
        "pm",
        "early",
        "decades",
        "Christmas",
        "a few",
        "years",
        "999999999",
        "2023-05-07T23:59",
        "next",
        "summer",
        "1",
        "hours",
        "after",
        "9999-12-31",
        "1000",
    ];
    proptest::collection::vec(proptest::sample::select(words.to_vec()), 0..10)
        .prop_map(|words| words.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_text_is_read_soundly(text in "\\PC{0,80}", said in any::<i64>()) {
        sound(&text, said)?;
    }

    #[test]
    fn words_in_any_order_are_read_soundly(text in babble(), said in -62_135_596_800_i64..253_402_128_000) {
        sound(&text, said)?;
    }
}

#[test]
fn a_range_covers_the_words() {
    let text = "Ann („gestern“) met: May 7th, 2023, at 3 pm!";
    let found = mentions(text, moment(SAID));
    let parts: Vec<&str> = found.iter().map(|m| &text[m.range.clone()]).collect();
    assert_eq!(parts, ["gestern", "May 7th, 2023, at 3 pm"]);
}

#[test]
fn tables_are_folded_and_known() {
    for table in super::super::words::TABLES {
        for key in table.iter().flat_map(|(keys, _)| keys.split('|')) {
            let key = key.trim_start_matches('?');
            assert_eq!(super::super::tokens::fold(key), key);
            assert!(
                key.chars().all(|c| c.is_alphabetic() || c == ' ') && !key.is_empty(),
                "{key}"
            );
        }
    }
}
