//! Telling a story: its steps become operations of a space.

use std::rc::Rc;

use edgemem::memory::{EntityId, Id, Moment};
use edgemem::model::builtin::StaticEmbedder;
use edgemem::operation::{Add, EventStatus, Operation, Reply, Update};
use model_server::prompt::Task;

use crate::check::{self, State};
use crate::replay::Stage;
use crate::story::{Session, Step, Story, What};

/// What differs from what the story expects, in the order in which to look at it.
pub fn tell(story: &Story, embedder: &Rc<StaticEmbedder>) -> Vec<String> {
    let stage = Stage::new(embedder);
    for (number, step) in (1..).zip(&story.steps) {
        stage.set_time(step.time);
        let done = take(&stage, step).and_then(|()| check::sound(&State::read(&stage)));
        if let Err(reason) = done {
            return vec![format!("step {number}: {reason}")];
        }
    }
    check::differences(&stage, &story.expected)
}

fn take(stage: &Stage, step: &Step) -> Result<(), String> {
    match &step.what {
        What::Session(session) => say(stage, session, step.time),
        What::Delete(text) => {
            let id = memory(stage, text)?;
            apply(stage, Operation::Delete { id })
        }
        What::Update { memory: old, text } => {
            let update = Update {
                id: memory(stage, old)?,
                text: Some(text.clone()),
                metadata: None,
                time: None,
                expires_at: None,
            };
            apply(stage, Operation::Update(update))
        }
        What::Resolve { keep } => {
            let conflicts = check::conflicts(stage, false);
            let mut sides = conflicts.iter().flat_map(|one| {
                one.sides
                    .iter()
                    .map(move |side| (one.contradiction.id, side))
            });
            let found = sides.find(|(_, side)| side.text == *keep);
            let Some((id, side)) = found else {
                return Err(format!("no open contradiction has the side '{keep}'"));
            };
            let keep = side.claim.clone();
            apply(stage, Operation::Resolve { id, keep })
        }
        What::Merge { from, into } => {
            let (from, into) = (entity(stage, from)?, entity(stage, into)?);
            apply(stage, Operation::MergeEntities { from, into })
        }
        What::Split {
            entity: old,
            name,
            memories,
        } => {
            let memories: Result<Vec<Id>, String> =
                memories.iter().map(|text| memory(stage, text)).collect();
            let split = Operation::SplitEntity {
                entity: entity(stage, old)?,
                name: name.clone(),
                memories: memories?,
            };
            apply(stage, split)
        }
    }
}

fn apply(stage: &Stage, operation: Operation) -> Result<(), String> {
    stage
        .apply(operation)
        .map(|_| ())
        .map_err(|e| e.to_string())
}

fn say(stage: &Stage, session: &Session, time: Moment) -> Result<(), String> {
    stage.replay(&session.replies);
    let add = Add {
        scope: stage.scope.clone(),
        messages: session.messages.clone(),
        infer: true,
        time: Some(time),
        ..Add::default()
    };
    let accepted = stage.apply(Operation::Add(Box::new(add)));
    let Ok(Reply::Event(event)) = accepted else {
        return Err(format!("the add was not accepted: {accepted:?}"));
    };
    apply(
        stage,
        Operation::RunJobs {
            event: Some(event.id),
        },
    )?;
    let event = match stage.apply(Operation::Event { id: event.id }) {
        Ok(Reply::Event(event)) => event,
        other => return Err(format!("{other:?}")),
    };
    if event.status != EventStatus::Succeeded {
        let reason = event.error.map(|problem| problem.message);
        return Err(reason.unwrap_or_else(|| "the add did not succeed".into()));
    }
    let changes = session.replies.iter().any(|entry| {
        entry.when.task == Task::Update
            && matches!(&entry.reply, model_server::reply::Reply::Calls(calls)
                if calls.iter().any(|call| call.name != "add_memory"))
    });
    if changes && !stage.was_asked(Task::Update) {
        return Err("the update call was not made: no known memory was found near".into());
    }
    Ok(())
}

fn memory(stage: &Stage, text: &str) -> Result<Id, String> {
    let memories = check::memories(stage);
    let found = memories.iter().find(|memory| memory.text() == text);
    found
        .map(|memory| memory.id)
        .ok_or_else(|| format!("no memory says '{text}'"))
}

fn entity(stage: &Stage, name: &str) -> Result<EntityId, String> {
    let state = State::read(stage);
    let found = state.entities.iter().find(|entity| entity.name == name);
    found
        .map(|entity| entity.id.clone())
        .ok_or_else(|| format!("no entity is called '{name}'"))
}
