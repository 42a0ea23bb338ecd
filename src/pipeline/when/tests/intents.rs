use super::super::{Anchor, Pick, Wanted, Window, intent, words};
use super::{SAID, moment};

/// A question's intent in words.
fn told(question: &str) -> String {
    let intent = intent(question, moment(SAID));
    let anchor = |anchor: Anchor| match anchor {
        Anchor::Time(span) => words(span),
        Anchor::Event(range) => format!("“{}”", &question[range]),
    };
    let mut parts = Vec::new();
    parts.extend(intent.wanted.map(|wanted| match wanted {
        Wanted::Time => "when".to_owned(),
        Wanted::Duration => "how long".to_owned(),
        Wanted::Order => "order".to_owned(),
    }));
    parts.extend(intent.pick.map(|pick| match pick {
        Pick::First => "first".to_owned(),
        Pick::Latest => "latest".to_owned(),
        Pick::Current => "current".to_owned(),
    }));
    parts.extend(intent.window.map(|window| match window {
        Window::At(span) => words(span),
        Window::Before(a) => format!("before {}", anchor(a)),
        Window::After(a) => format!("after {}", anchor(a)),
        Window::Between(a, b) => format!("between {} and {}", anchor(a), anchor(b)),
        Window::Away(amount, a) => format!("{} {:?} from {}", amount.count, amount.unit, anchor(a)),
    }));
    parts.join(", ")
}

#[test]
fn questions() {
    let mut wrong = Vec::new();
    for (question, expected) in [
        ("What did I do last May?", "May 2022"),
        ("Where did we go in 2022?", "2022"),
        ("What happened on 7 May 2023?", "7 May 2023"),
        ("When did Ann move to Berlin?", "when"),
        ("When did Ann first visit Paris?", "when, first"),
        ("What year did I graduate?", "when"),
        ("How long have I lived in Berlin?", "how long"),
        (
            "How many days between the wedding and the move?",
            "how long, between “the wedding” and “the move”",
        ),
        (
            "What did I buy before the trip to Tokyo?",
            "before “the trip to Tokyo”",
        ),
        (
            "What did I buy after the trip to Tokyo, in Osaka?",
            "after “the trip to Tokyo”",
        ),
        (
            "What did I do two weeks before the trip?",
            "-2 Week from “the trip”",
        ),
        (
            "What did I do two weeks before Christmas?",
            "week of 5 December 2022",
        ),
        ("What did I say before May 2023?", "before May 2023"),
        ("Which came first, the dog or the cat?", "order"),
        ("What happened first, the move or the wedding?", "order"),
        ("In what order did I visit them?", "order"),
        ("What is the most recent book I read?", "latest"),
        ("When was the last time I ran?", "when, latest"),
        ("Where do I currently live?", "current"),
        ("Where do I live now?", "current"),
        ("What is my dog's name?", ""),
        ("What may I eat?", ""),
        ("Wann bin ich nach Berlin gezogen?", "when"),
        ("Wie lange wohne ich schon hier?", "how long"),
        (
            "Was habe ich vor der Reise gekauft?",
            "before “der Reise gekauft”",
        ),
        ("Quand est-ce que je suis allé à Paris ?", "when"),
        ("¿Cuándo fui a Madrid?", "when"),
        ("Quando fui a Lisboa?", "when"),
        ("Quando sono andato a Roma?", "when"),
        ("Wanneer ging ik naar Utrecht?", "when"),
        ("Kiedy kupiłem dom?", "when"),
        ("Когда я переехал?", "when"),
        ("我什么时候去了北京？", "when"),
        ("いつ東京に行きましたか？", "when"),
        ("언제 서울에 갔어요?", "when"),
        ("去东京之前我买了什么？", "before “去东京”"),
    ] {
        if told(question) != expected {
            wrong.push(format!(
                "{question}\n   is {}\n not {expected}",
                told(question)
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
