//! The conversations to evaluate on; CONTRIBUTING.md tells their shape.

use edgemem::memory::{Message, Moment, Role};
use serde::Deserialize;

use super::Failure;

/// A long conversation, what was learnt from it, and questions about it.
#[derive(Deserialize)]
pub struct Conversation {
    pub id: String,
    pub sessions: Vec<Session>,
    pub facts: Vec<GivenFact>,
    pub questions: Vec<Question>,
}

/// A part of it, at one time.
#[derive(Deserialize)]
pub struct Session {
    pub id: String,
    pub time: String,
    pub turns: Vec<SpokenTurn>,
}

/// One message.
#[derive(Deserialize, Clone)]
pub struct SpokenTurn {
    pub id: String,
    pub speaker: String,
    pub role: String,
    pub text: String,
}

/// A fact, with the ids of the turns that say it.
#[derive(Deserialize, Clone)]
pub struct GivenFact {
    pub text: String,
    pub session: String,
    pub evidence: Vec<String>,
}

/// A question, with the ids of the turns that hold its answer.
#[derive(Deserialize)]
pub struct Question {
    pub question: String,
    pub category: String,
    pub evidence: Vec<String>,
}

impl SpokenTurn {
    /// The turn as a client would send it.
    pub fn message(&self) -> Message {
        Message {
            role: match self.role.as_str() {
                "assistant" => Role::Assistant,
                _ => Role::User,
            },
            content: self.text.clone(),
            name: Some(self.speaker.clone()),
            time: None,
        }
    }
}

impl Session {
    /// When it took place.
    pub fn moment(&self) -> Result<Moment, Failure> {
        let text = self.time.trim();
        // `1:56 pm on 8 May, 2023`, or anything that a client may send.
        let spoken = jiff::civil::DateTime::strptime("%I:%M %p on %d %B, %Y", text);
        match spoken {
            Ok(time) => Ok(time.to_string().parse()?),
            Err(_) => Ok(text.parse()?),
        }
    }
}
