//! Files of messages: read by the job of their add, one after the other, before anything is extracted. Each is one
//! commit, which puts what it shows in the place of its placeholder.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;

use super::jobs::MAX_ATTEMPTS;
use super::{Host, Space, SpaceError};
use crate::memory::{
    File, FileKind, FileSource, Id, MAX_MESSAGE_BYTES, Memory, Message, WebAddress, plain,
};
use crate::model::files::FileError;
use crate::model::{ModelError, ShownFile};
use crate::pipeline::describe::describe;
use crate::pipeline::recall::embedded_texts;
use crate::store::Changes;
use crate::store::records::{AddWork, AttachedFile, Job, Work};

/// Tries of a file whose server fails, or with which the model's does, before the rest goes on without it.
const FILE_ATTEMPTS: u32 = 4;

/// Why a file was not read. No reason says where it is, as the message may be erased before the event.
#[derive(Debug, Error)]
enum Unread {
    #[error("no LLM is configured that could look at it")]
    NoModel,
    #[error("this server fetches nothing")]
    NotFetched,
    #[error(transparent)]
    File(#[from] FileError),
    #[error("it is damaged")]
    Damaged,
    #[error("the LLM does not take such files, or not this one")]
    Rejected,
    #[error("the LLM failed with it ({0})")]
    Failed(&'static str),
    #[error("the LLM saw nothing in it")]
    Unseen,
}

impl<H: Host> Space<H> {
    /// Reads the files of an add that are still to be read. What cannot be read leaves its placeholder and a note on the
    /// event.
    pub(super) async fn read_files(
        &self,
        job: &Job,
        work: &AddWork,
    ) -> Result<AddWork, SpaceError> {
        let mut work = work.clone();
        for attached in std::mem::take(&mut work.files) {
            let message = self.message(&attached.message)?;
            let Some(message) = message else { continue };
            let read = self.read_file(&attached.file, &message, job.attempts + 1);
            match read.await? {
                Ok(words) => {
                    self.put_words(job.key(), &work, &attached, &message, &words)
                        .await?
                }
                Err(why) => {
                    let kind = attached.file.kind.as_str();
                    let note = format!("A file of the messages ({kind}) was not read: {why}.");
                    self.finish_file(job.key(), &work, &attached, Some(note), |_| {
                        Changes::default()
                    })
                    .await?;
                }
            }
        }
        Ok(work)
    }

    fn message(&self, id: &Id) -> Result<Option<Message>, SpaceError> {
        let state = self.state.borrow();
        let known = self.view(&state).known;
        let message = known.memory(id).and_then(|memory| memory.message());
        known.check()?;
        Ok(message)
    }

    /// The words of a file, or why there are none. An error is worth another try.
    async fn read_file(
        &self,
        file: &File,
        message: &Message,
        attempts: u32,
    ) -> Result<Result<String, Unread>, SpaceError> {
        let chat = match (file.kind, &self.models.chat) {
            (FileKind::Text, _) => None,
            (_, Some(chat)) => Some(chat),
            (_, None) => return Ok(Err(Unread::NoModel)),
        };
        let base64 = match (&file.source, &self.models.files) {
            (FileSource::Base64(base64), _) => base64.clone(),
            (FileSource::Url(_), None) => return Ok(Err(Unread::NotFetched)),
            (FileSource::Url(url), Some(files)) => match files.fetch(url, file.kind).await {
                Ok(bytes) if file.kind == FileKind::Text => {
                    return Ok(plain(&bytes).map(str::to_owned).ok_or(Unread::Damaged));
                }
                Ok(bytes) => STANDARD.encode(bytes),
                Err(error) if error.is_retryable() && attempts < FILE_ATTEMPTS => {
                    return Err(error.into());
                }
                Err(error) => return Ok(Err(error.into())),
            },
        };
        let Some(chat) = chat else {
            let bytes = STANDARD.decode(base64).unwrap_or_default();
            return Ok(plain(&bytes).map(str::to_owned).ok_or(Unread::Damaged));
        };
        // The first bytes tell what it is; they are a part of the text that can be decoded alone.
        let head = base64.get(..64.min(base64.len() / 4 * 4));
        let head = head.and_then(|head| STANDARD.decode(head).ok());
        let Some(media_type) = head.and_then(|head| file.kind.media_type(&head)) else {
            return Ok(Err(Unread::Damaged));
        };
        let shown = ShownFile { media_type, base64 };
        let name = name_of(&file.source);
        self.check_budget()?;
        Ok(
            match describe(&**chat, shown, name.as_deref(), message).await {
                Ok(Some(words)) => Ok(words),
                Ok(None) => Err(Unread::Unseen),
                Err(ModelError::Refused { .. }) => Err(Unread::Rejected),
                // But for a key that is not taken: that will be mended.
                Err(ModelError::Rejected { status, .. }) if !matches!(status, 401..=403) => {
                    Err(Unread::Rejected)
                }
                Err(error) => {
                    // Some servers fail with what they cannot do; what else fails, fails extraction too.
                    let tries = match error {
                        ModelError::Unavailable { .. } | ModelError::Unreadable { .. } => {
                            FILE_ATTEMPTS
                        }
                        _ => MAX_ATTEMPTS,
                    };
                    match attempts < tries {
                        true => return Err(error.into()),
                        false => Err(Unread::Failed(error.code())),
                    }
                }
            },
        )
    }

    /// Puts the words of a file where its placeholder is.
    async fn put_words(
        &self,
        key: String,
        work: &AddWork,
        attached: &AttachedFile,
        message: &Message,
        words: &str,
    ) -> Result<(), SpaceError> {
        let file = &attached.file;
        let (words, is_cut) = shortened(file, &message.content, words);
        let note = is_cut.then(|| {
            let limit = MAX_MESSAGE_BYTES / 1024;
            format!("A file of the messages was cut where its message reached {limit} KB.")
        });
        let put = |text: &str| text.replacen(&file.placeholder, &words, 1);
        let text = put(&message.content);
        let known = {
            let state = self.state.borrow();
            let known = self.view(&state).known;
            let memory = known.memory(&attached.message);
            known.check()?;
            memory
        };
        let vectors = match &known {
            Some(memory) => self.models.embed(&embedded_texts(memory, &text)).await?,
            None => Vec::new(),
        };
        let history = self.changes_of(&attached.message).await?;
        self.finish_file(key, work, attached, note, |memory| {
            let mut changes = Changes::default();
            let Some(mut memory) = memory else {
                return changes;
            };
            // Unless it was rewritten meanwhile: then its owner's words stand.
            let is_same = memory.text() == message.content;
            let newest = memory.versions.last_mut().filter(|_| is_same);
            let Some(newest) = newest else {
                return changes;
            };
            newest.text = text;
            changes.vectors.push((memory.id, vectors));
            changes.memories.push(memory);
            for mut line in history {
                let said = line.new_text.take();
                line.new_text = said.map(|said| put(&said));
                changes.history.push(line);
            }
            changes
        })
        .await
    }

    /// Ends the work on a file in one commit: with what `change` does to its message, and a note on the event. It does
    /// nothing when the file is gone: its message was erased meanwhile.
    async fn finish_file(
        &self,
        key: String,
        work: &AddWork,
        attached: &AttachedFile,
        note: Option<String>,
        change: impl FnOnce(Option<Memory>) -> Changes,
    ) -> Result<(), SpaceError> {
        let event = self.event_record(&work.event).await?;
        let now = self.host.now();
        self.commit(|state, _| {
            let mut job = state.jobs.get(&key).cloned();
            let waiting = job.as_mut().and_then(|job| match &mut job.work {
                Work::Add(work) => {
                    let place = work.files.iter().position(|it| it == attached)?;
                    Some(work.files.remove(place))
                }
                _ => None,
            });
            let (Some(job), Some(_)) = (job, waiting) else {
                return Ok((Changes::default(), ()));
            };
            let memory = state.known.memory(&attached.message);
            let mut changes = change(memory.as_deref().cloned());
            changes.jobs.push(job);
            if let Some(note) = note {
                let mut event = event;
                event.updated_at = now;
                event.note = Some(match event.note {
                    Some(said) if said.contains(&note) => said,
                    Some(said) => format!("{said} {note}"),
                    None => note,
                });
                changes.events.push(event);
            }
            Ok((changes, ()))
        })
        .await
    }
}

/// The last part of a file's path, which often says what it is.
fn name_of(source: &FileSource) -> Option<String> {
    let FileSource::Url(url) = source else {
        return None;
    };
    let address = WebAddress::read(url).ok()?;
    let name = address.path().rsplit('/').next()?;
    (1..=100).contains(&name.len()).then(|| name.to_owned())
}

/// What stands in the place of a placeholder, as long as the message may be; and whether it was cut for that.
fn shortened(file: &File, message: &str, words: &str) -> (String, bool) {
    let name = name_of(&file.source).map_or_else(String::new, |name| format!(" {name}"));
    let start = format!("[{}{name}: ", file.kind.as_str());
    let others = message.len().saturating_sub(file.placeholder.len());
    let room = MAX_MESSAGE_BYTES.saturating_sub(others + start.len() + "…]".len());
    let words = words.trim();
    let mut end = room.min(words.len());
    while !words.is_char_boundary(end) {
        end -= 1;
    }
    let kept = words.get(..end).unwrap_or_default();
    match kept.len() < words.len() {
        true => (format!("{start}{kept}…]"), true),
        false => (format!("{start}{kept}]"), false),
    }
}
