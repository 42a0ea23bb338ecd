//! What the LLM costs an owner on one day, and what happens when that is enough.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod common;

use common::{Answer, Fixture, facts};
use edgemem::memory::{EventStatus, Filter, Moment};
use edgemem::model::{ModelError, Tokens};
use edgemem::operation::{Operation, Reply, Spent};
use edgemem::space::Settings;

const DAY: i64 = 86_400_000;

fn limited(daily_calls: Option<u64>, daily_tokens: Option<u64>) -> Fixture {
    let mut fixture = Fixture::new();
    fixture.settings = Settings {
        daily_calls,
        daily_tokens,
        ..Settings::default()
    };
    fixture.reopen();
    fixture
}

fn spent(fixture: &Fixture) -> Spent {
    match fixture.apply(Operation::Stats { digest: false }) {
        Reply::Stats(stats) => stats.spent.unwrap(),
        other => panic!("{other:?}"),
    }
}

fn costs(fixture: &Fixture, input: u64, output: u64) {
    fixture.script.tokens.set(Some(Tokens { input, output }));
}

#[test]
fn what_was_asked_is_counted_and_outlives_a_restart() {
    let mut fixture = Fixture::new();
    costs(&fixture, 100, 7);
    fixture.script.then(facts(&["User keeps bees"]));
    fixture.say("I keep bees");
    fixture.reopen();
    fixture.script.then(facts(&["User sails to Gotland"]));
    fixture.say("I sail to Gotland");
    let today = spent(&fixture).today;
    assert_eq!((today.day.as_str(), today.calls), ("2026-01-01", 2));
    assert_eq!((today.input_tokens, today.output_tokens), (200, 14));
    assert_eq!(today.estimated, 0);
    // The next day begins anew; the day before is kept.
    fixture.later(DAY);
    fixture.script.tokens.set(None);
    fixture.script.then(facts(&["The car is a Volvo"]));
    fixture.say("The car is a Volvo");
    fixture.reopen();
    let told = spent(&fixture);
    assert_eq!((told.today.calls, told.today.estimated), (1, 1));
    assert!(told.today.input_tokens > 100 && told.today.output_tokens > 5);
    assert_eq!(told.earlier, [today]);
}

#[test]
fn a_question_that_failed_counts_when_a_model_may_have_read_it() {
    let fixture = Fixture::new();
    let model = || "m".to_owned();
    for (error, calls) in [
        (
            ModelError::Timeout {
                model: model(),
                seconds: 60,
            },
            1,
        ),
        (
            ModelError::RateLimited {
                model: model(),
                retry_after_ms: None,
            },
            1,
        ),
        (ModelError::Refused { model: model() }, 2),
    ] {
        fixture.script.then(Answer::Error(error));
        fixture.later(DAY / 24);
        match calls {
            1 if spent(&fixture).today.calls == 0 => drop(fixture.say("I keep bees")),
            _ => fixture.run_due(),
        }
        assert_eq!(spent(&fixture).today.calls, calls);
    }
}

#[test]
fn over_the_budget_what_is_said_is_kept_and_found_and_the_model_is_asked_the_next_day() {
    for mut fixture in [limited(Some(1), None), limited(None, Some(107))] {
        costs(&fixture, 100, 7);
        fixture.script.then(facts(&["User keeps bees"]));
        assert_eq!(fixture.say("I keep bees").status, EventStatus::Succeeded);
        let event = fixture.say("I sail to Gotland");
        assert_eq!((event.status, event.attempts), (EventStatus::Pending, 0));
        assert_eq!(event.error.unwrap().code, "daily_budget_spent");
        let midnight = Moment::from_millis(fixture.clock.get() / DAY * DAY + DAY);
        let retry_at = event.retry_at.unwrap();
        assert!(retry_at >= midnight && retry_at < midnight.plus_millis(600_000));
        assert_eq!(fixture.space.next_due(), Some(retry_at));
        assert_eq!(fixture.transcript(), ["I keep bees", "I sail to Gotland"]);
        assert_eq!(
            fixture.search("Gotland")[0].memory.text(),
            "I sail to Gotland"
        );
        // Neither a restart nor asking again today changes that.
        fixture.reopen();
        fixture.run_due();
        assert_eq!(fixture.run(event.id).status, EventStatus::Pending);
        assert_eq!(fixture.script.calls(), 1);
        fixture.clock.set(retry_at.as_millis());
        fixture.script.then(facts(&["User sails to Gotland"]));
        fixture.run_due();
        let event = fixture.event(event.id);
        assert_eq!(event.status, EventStatus::Succeeded);
        assert_eq!((event.error, event.retry_at), (None, None));
        assert_eq!(
            fixture.texts(),
            ["User keeps bees", "User sails to Gotland"]
        );
        assert_eq!(spent(&fixture).today.calls, 1);
    }
}

#[test]
fn to_erase_everything_is_not_to_be_given_more() {
    let mut fixture = limited(Some(1), None);
    fixture.script.then(facts(&["User keeps bees"]));
    fixture.say("I keep bees");
    let filter = Filter::all();
    fixture.apply(Operation::DeleteAll { filter });
    fixture.reopen();
    assert_eq!(spent(&fixture).today.calls, 1);
    assert_eq!(fixture.say("I sail").status, EventStatus::Pending);
}

#[test]
fn verbatim_adds_cost_nothing() {
    let fixture = limited(Some(0), Some(0));
    let add = edgemem::operation::Add {
        infer: false,
        ..fixture.add_of("I keep bees")
    };
    assert_eq!(fixture.add(add).status, EventStatus::Succeeded);
    assert_eq!(spent(&fixture).today.calls, 0);
    assert_eq!(fixture.say("I sail").status, EventStatus::Pending);
}
