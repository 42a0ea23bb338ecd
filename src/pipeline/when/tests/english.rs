use super::{check, told};

#[test]
fn dates_in_digits() {
    check(&[
        ("Released 2023-05-07.", "7 May 2023"),
        ("2023-05-07T15:30:00Z it began", "7 May 2023 15:30"),
        ("at 2023-05-07T15:30:00-07:00 sharp", "7 May 2023 22:30"),
        ("2023-05-07 09:15 log", "7 May 2023 09:15"),
        ("2023/05/20 (Sat) 02:21", "20 May 2023"),
        ("due 2023-05", "May 2023"),
        ("on 05/07/2023 we", "7 May 2023"),
        ("on 25/07/2023 we", "25 July 2023"),
        ("on 07/25/2023 we", "25 July 2023"),
        ("on 7.5.2023", "7 May 2023"),
        ("07-05-2023", "7 May 2023"),
        ("on 5/7/23", "7 May 2023"),
        ("due on 5/7", "7 May 2023"),
        ("(2019)", "2019"),
        ("2019–2021", "2019 to 2021"),
        ("worked there 2019-2021", "2019 to 2021"),
    ]);
}

#[test]
fn dates_in_words() {
    check(&[
        ("We met on 7 May 2023.", "7 May 2023"),
        ("the 7th of May, 2023", "7 May 2023"),
        ("May 7th", "7 May 2023"),
        ("May 7, 2023 was fun", "7 May 2023"),
        ("May 7th 2022", "7 May 2022"),
        ("Dec. 3, 2021", "3 December 2021"),
        ("Sunday, May 7th, 2023", "7 May 2023"),
        ("Sun, 7 May 2023", "7 May 2023"),
        ("1:56 pm on 8 May, 2023", "8 May 2023 13:56"),
        ("8 May 2023 at 1:56 pm", "8 May 2023 13:56"),
        ("on May 8 at 3pm", "8 May 2023 15:00"),
        ("in May 2023", "May 2023"),
        ("May of 2021", "May 2021"),
        ("in December", "December 2022"),
        ("in may we moved", "May 2023"),
        ("in March", "March 2023"),
        ("in 2022 I moved", "2022"),
        ("since January 2020", "January 2020 to May 2023"),
        ("in 2019, 2020 and 2021", "2019; 2020; 2021"),
        ("in May and July", "May 2023; July 2023"),
        ("(see 7 May 2023)", "7 May 2023"),
        ("May '21", "May 2021"),
        ("3 January", "3 January 2023"),
        ("November 30", "30 November 2022"),
        ("29 February", "29 February 2024"),
    ]);
}

#[test]
fn seasons_quarters_decades_feasts() {
    check(&[
        ("summer 2023", "summer 2023"),
        ("in the summer of 2021", "summer 2021"),
        ("winter 2022", "winter 2022"),
        ("fall 2020", "autumn 2020"),
        ("Q3 2024", "Q3 2024"),
        ("revenue in Q1 was", "Q1 2023"),
        ("in the 90s", "1990s"),
        ("the 1980s", "1980s"),
        ("back in the '80s", "1980s"),
        ("the nineties", "1990s"),
        ("last Christmas", "25 December 2022"),
        ("Christmas 2021", "25 December 2021"),
        ("at Easter", "9 April 2023"),
        ("Thanksgiving 2023", "23 November 2023"),
        ("last summer", "summer 2022"),
        ("next winter", "winter 2023"),
        ("this spring", "spring 2023"),
        ("early May", "~May 2023"),
        ("mid-2022", "~2022"),
    ]);
}

#[test]
fn relative_days() {
    check(&[
        ("yesterday", "9 May 2023"),
        ("I saw her today.", "10 May 2023"),
        ("tomorrow", "11 May 2023"),
        ("the day before yesterday", "8 May 2023"),
        ("day after tomorrow", "12 May 2023"),
        ("tonight", "night of 10 May 2023"),
        ("last night", "night of 9 May 2023"),
        ("this morning", "10 May 2023 05:00 to 12:00"),
        ("yesterday afternoon", "9 May 2023 12:00 to 18:00"),
        ("yesterday at 3 pm", "9 May 2023 15:00"),
        ("3:30 pm yesterday", "9 May 2023 15:30"),
        ("the other day", "~3 May 2023 to 9 May 2023"),
        ("3 days ago", "7 May 2023"),
        ("three days ago", "7 May 2023"),
        ("a day ago", "9 May 2023"),
        ("in 3 days", "13 May 2023"),
        ("two days from now", "12 May 2023"),
        ("an hour ago", "10 May 2023 11:00"),
        ("20 minutes ago", "10 May 2023 11:40"),
        ("a few days ago", "~6 May 2023 to 8 May 2023"),
        ("two days before Christmas", "23 December 2022"),
        ("the day after 7 May 2023", "8 May 2023"),
    ]);
}

#[test]
fn relative_weeks_months_years() {
    check(&[
        ("last week", "week of 1 May 2023"),
        ("this week", "week of 8 May 2023"),
        ("next week", "week of 15 May 2023"),
        ("last month", "April 2023"),
        ("next month", "June 2023"),
        ("last year", "2022"),
        ("this year", "2023"),
        ("last weekend", "weekend of 6 May 2023"),
        ("this weekend", "weekend of 13 May 2023"),
        ("next weekend", "weekend of 20 May 2023"),
        ("last decade", "2010s"),
        ("last Friday", "5 May 2023"),
        ("this Friday", "12 May 2023"),
        ("next Friday", "19 May 2023"),
        ("last Friday night", "night of 5 May 2023"),
        ("We went on Friday.", "5 May 2023"),
        ("I will go on Friday.", "12 May 2023"),
        ("Friday last week", "5 May 2023"),
        ("on Sat we went", "6 May 2023"),
        ("two weeks ago", "week of 24 April 2023"),
        ("2 months ago", "March 2023"),
        ("ten years ago", "2013"),
        ("a year ago", "2022"),
        (
            "a couple of weeks ago",
            "~week of 17 April 2023 to week of 1 May 2023",
        ),
        (
            "a few weeks ago",
            "~week of 10 April 2023 to week of 24 April 2023",
        ),
        ("several years ago", "~2016 to 2020"),
        ("the week before last", "week of 24 April 2023"),
        ("two Fridays ago", "28 April 2023"),
        ("two summers ago", "summer 2021"),
        ("the one last week", "week of 1 May 2023"),
        ("half a year ago", "November 2022"),
        ("last May", "May 2022"),
        ("next March", "March 2024"),
        ("earlier this month", "~May 2023"),
        ("later this year", "~2023"),
        ("in two weeks", "week of 22 May 2023"),
        ("the week before 9 June 2023", "week of 29 May 2023"),
        ("end of the year", "~2023"),
        ("at the beginning of 2022", "~2022"),
    ]);
}

#[test]
fn ranges() {
    check(&[
        ("from May to July", "May 2023 to July 2023"),
        ("between 3 and 5 June", "3 June 2023 to 5 June 2023"),
        ("3-5 June 2022", "3 June 2022 to 5 June 2022"),
        ("June 3–5, 2022", "3 June 2022 to 5 June 2022"),
        ("June 3 to 5", "3 June 2023 to 5 June 2023"),
        ("from 3 June to 7 July 2022", "3 June 2022 to 7 July 2022"),
        ("May–July 2022", "May 2022 to July 2022"),
        (
            "from November to February 2022",
            "November 2021 to February 2022",
        ),
        ("since 2019", "2019 to 2023"),
        ("since May", "May 2023"),
        ("since last Friday", "5 May 2023 to 10 May 2023"),
        ("until next Friday", "10 May 2023 to 19 May 2023"),
        ("until 2020", "until 2020"),
        ("for the past three months", "February 2023 to May 2023"),
        (
            "over the last 2 weeks",
            "week of 24 April 2023 to week of 8 May 2023",
        ),
        ("the next 3 days", "10 May 2023 to 13 May 2023"),
        ("from 2019 to 2021", "2019 to 2021"),
        ("between 2019 and 2021", "2019 to 2021"),
        ("from Monday to Friday", "1 May 2023 to 5 May 2023"),
    ]);
}

#[test]
fn what_recurs() {
    check(&[
        ("every Tuesday", "Weekday { day: 2, weeks: 1 }"),
        ("every other Tuesday", "Weekday { day: 2, weeks: 2 }"),
        ("on Tuesdays", "Weekday { day: 2, weeks: 1 }"),
        ("on weekends", "Weekends"),
        ("every weekend", "Weekends"),
        ("on weekdays", "Workdays"),
        ("weekly", "Every { count: 1, unit: Week }"),
        ("biweekly", "Every { count: 2, unit: Week }"),
        ("every other week", "Every { count: 2, unit: Week }"),
        ("every 3 months", "Every { count: 3, unit: Month }"),
        ("each summer", "Season(2)"),
        ("every day", "Every { count: 1, unit: Day }"),
        ("every December", "Month(12)"),
        ("every Christmas", "Feast(Christmas)"),
        ("every morning", "Every { count: 1, unit: Day }"),
    ]);
}

#[test]
fn other_moments_of_speaking() {
    for (text, said, expected) in [
        ("in December", "2024-01-05", "December 2023"),
        ("last month", "2024-01-31", "December 2023"),
        ("a month ago", "2024-03-31", "February 2024"),
        ("last week", "2024-01-01", "week of 25 December 2023"),
        ("next Friday", "2023-05-14", "19 May 2023"),
        ("last Sunday", "2023-05-14", "7 May 2023"),
        ("this winter", "2024-01-15", "winter 2023"),
        ("yesterday", "2024-03-01", "29 February 2024"),
        ("on January 3", "2023-12-30", "3 January 2024"),
    ] {
        assert_eq!(told(text, said), expected, "{text} on {said}");
    }
}
