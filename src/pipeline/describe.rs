//! From an image or a document to words, in one call of the model.

use crate::memory::Message;
use crate::model::{ChatModel, ChatRequest, Finish, ModelError, Output, ShownFile, Turn, prompts};

/// Tokens that the model may answer with, of an image and of a document.
const IMAGE_TOKENS: u32 = 1_000;
const DOCUMENT_TOKENS: u32 = 4_000;

/// Characters of the message that the prompt shows.
const MESSAGE_CHARS: usize = 500;

/// What a model answers that saw nothing.
const UNREADABLE: &str = "UNREADABLE";

/// Asks the model what a file shows that came with a message. `None` when it could not tell.
///
/// # Errors
/// When the model fails or refuses, or takes no such files.
pub async fn describe(
    model: &dyn ChatModel,
    file: ShownFile,
    name: Option<&str>,
    message: &Message,
) -> Result<Option<String>, ModelError> {
    let said: String = message.content.chars().take(MESSAGE_CHARS).collect();
    let what = if file.is_image() { "image" } else { "document" };
    let name = name.map_or_else(String::new, |name| format!(" {name}"));
    let text = format!(
        "## The message that it came with\n{}: {}\n\n## The file\nThe attached {what}{name}",
        message.speaker(),
        said.replace('\n', "\n    ")
    );
    let max_tokens = match file.is_image() {
        true => IMAGE_TOKENS,
        false => DOCUMENT_TOKENS,
    };
    let request = ChatRequest {
        system: prompts::DESCRIBE.to_owned(),
        turns: vec![Turn::Shown { text, file }],
        output: Output::Text,
        max_tokens,
    };
    let reply = model.chat(&request).await?;
    let words = reply.content.trim();
    if reply.finish == Finish::Refused {
        return Err(ModelError::Refused {
            model: model.name().to_owned(),
        });
    }
    let is_unseen = words.is_empty() || words.trim_matches(['*', '.', '"']) == UNREADABLE;
    Ok((!is_unseen).then(|| match reply.finish {
        Finish::Length => format!("{words}…"),
        _ => words.to_owned(),
    }))
}
