use super::super::{Amount, Recurrence, Unit, add, distance, next, previous, words};
use super::moment;
use crate::memory::{Lies, Span};

#[test]
fn distances_are_told_as_people_do() {
    for (a, b, expected) in [
        ("2023-05-01", "2023-05-02", "1 day"),
        ("2023-05-01", "2023-05-01", "0 days"),
        ("2023-05-15", "2023-05-01", "2 weeks"),
        ("2023-05-01", "2023-05-11", "10 days"),
        ("2023-01-31", "2023-03-01", "1 month and 1 day"),
        ("2020-02-29", "2023-05-01", "3 years and 2 months"),
        ("2020-05-01", "2023-05-01", "3 years"),
    ] {
        assert_eq!(
            distance(moment(a), moment(b)).to_string(),
            expected,
            "{a} {b}"
        );
    }
}

#[test]
fn amounts_follow_the_calendar() {
    let plus = |at, count, unit| add(moment(at), Amount { count, unit }).date();
    assert_eq!(plus("2024-01-31", 1, Unit::Month), "2024-02-29");
    assert_eq!(plus("2024-02-29", -1, Unit::Year), "2023-02-28");
    assert_eq!(plus("2024-02-29", i32::MAX, Unit::Decade), "9999-12-01");
}

#[test]
fn rules_have_a_next_and_a_previous_time() {
    let at = moment("2023-05-10T12:00:00Z");
    let tuesday = Recurrence::Weekday { day: 2, weeks: 1 };
    for (rule, before, after) in [
        (tuesday, "9 May 2023", "16 May 2023"),
        (
            Recurrence::Weekends,
            "weekend of 6 May 2023",
            "weekend of 13 May 2023",
        ),
        (Recurrence::Workdays, "9 May 2023", "11 May 2023"),
        (Recurrence::Month(5), "May 2022", "May 2024"),
        (Recurrence::Season(2), "summer 2022", "summer 2023"),
        (
            Recurrence::Every {
                count: 2,
                unit: Unit::Week,
            },
            "week of 24 April 2023",
            "week of 22 May 2023",
        ),
    ] {
        assert_eq!(previous(rule, at).map(words).unwrap(), before, "{rule:?}");
        assert_eq!(next(rule, at).map(words).unwrap(), after, "{rule:?}");
    }
}

#[test]
fn spans_lie_to_each_other() {
    let span = |text| Span::read(text).unwrap();
    assert_eq!(span("2022").lies(span("2023")), Lies::Before);
    assert_eq!(span("2023-05").lies(span("2023")), Lies::Overlaps);
    assert_eq!(span("2024").lies(span("2023-12")), Lies::After);
    assert_eq!(
        span("2023-05").overlap(span("2023")).unwrap().from.date(),
        "2023-05-01"
    );
    assert!(span("2022").overlap(span("2023")).is_none());
}
