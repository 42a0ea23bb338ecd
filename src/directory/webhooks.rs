//! Webhooks: whom to tell of changes, and what is still to be told.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value, json};
use sha2::Sha256;

use super::{
    Answer, Delivery, Directory, DirectoryError, Done, Now, Webhook, delete, put, sortable,
};
use crate::memory::{ChangeKind, Happened, Id, Moment, Notice, Owner, WebAddress};
use crate::store::{Storage, Write};

/// The header that carries the [`signature`].
pub const SIGNATURE: &str = "x-edgemem-signature";

/// What a webhook can be told of. Of the ingest jobs there are none here, but clients may name them.
pub const EVENT_TYPES: [&str; 8] = [
    "memory_add",
    "memory_update",
    "memory_delete",
    "memory_categorize",
    "ingest_job_completed",
    "ingest_job_partially_completed",
    "ingest_job_failed",
    "ingest_job_cancelled",
];

/// Tries of one delivery before it is given up: over about a day.
const MAX_ATTEMPTS: u32 = 8;

/// Webhooks of a project, and deliveries that wait, at most.
const MAX_WEBHOOKS: usize = 100;
const MAX_WAITING: usize = 10_000;

/// A signature of what is sent, by the webhook's secret: `t=SECONDS,v1=HEX`, where HEX is the HMAC-SHA256
/// of `SECONDS.BODY`.
pub fn signature(secret: &str, at: Moment, body: &[u8]) -> String {
    let seconds = at.as_millis().div_euclid(1000);
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return String::new();
    };
    mac.update(format!("{seconds}.").as_bytes());
    mac.update(body);
    let code = mac.finalize().into_bytes();
    let hex: String = code.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={seconds},v1={hex}")
}

impl<S: Storage> Directory<S> {
    async fn every_webhook(&self) -> Done<Vec<Webhook>> {
        let all = self.all::<Webhook>("webhook/").await?;
        Ok(all.into_iter().map(|(_, webhook)| webhook).collect())
    }

    pub(super) async fn webhooks(&self) -> Done<Answer> {
        Ok(Answer::Webhooks(self.every_webhook().await?))
    }

    pub(super) async fn add_webhook(&self, fields: &Map<String, Value>, now: Now) -> Done<Answer> {
        if self.every_webhook().await?.len() >= MAX_WEBHOOKS {
            let message = format!("a project has at most {MAX_WEBHOOKS} webhooks");
            return Err(DirectoryError::Bad(message));
        }
        let random = blake3::hash(&now.random);
        let hex = random.to_hex();
        let (id, secret) = hex.split_at(24);
        let mut webhook = Webhook {
            id: format!("wh_{id}"),
            name: String::new(),
            url: String::new(),
            event_types: Vec::new(),
            is_active: true,
            secret: format!("whsec_{secret}"),
            created_at: now.at,
            updated_at: now.at,
        };
        for name in ["name", "url", "event_types"] {
            if !fields.contains_key(name) {
                return Err(DirectoryError::Bad(format!("give the webhook's `{name}`")));
            }
        }
        change(&mut webhook, fields, self.private)?;
        self.commit(vec![put(&format!("webhook/{}", webhook.id), &webhook)?])
            .await?;
        Ok(Answer::Webhooks(vec![webhook]))
    }

    pub(super) async fn change_webhook(
        &self,
        id: &str,
        fields: &Map<String, Value>,
        now: Now,
    ) -> Done<Answer> {
        let key = format!("webhook/{id}");
        let found: Option<Webhook> = self.get(&key).await?;
        let mut webhook = found.ok_or(DirectoryError::NoSuchWebhook)?;
        change(&mut webhook, fields, self.private)?;
        webhook.updated_at = now.at;
        self.commit(vec![put(&key, &webhook)?]).await?;
        Ok(Answer::Done)
    }

    pub(super) async fn remove_webhook(&self, id: &str) -> Done<Answer> {
        let key = format!("webhook/{id}");
        if self.get::<Webhook>(&key).await?.is_none() {
            return Err(DirectoryError::NoSuchWebhook);
        }
        let mut writes = vec![delete(&key)];
        let waiting = self.all::<Delivery>("delivery/").await?;
        let waiting = waiting.iter().filter(|(_, it)| it.webhook == id);
        writes.extend(waiting.map(|(key, _)| delete(key)));
        self.commit(writes).await?;
        Ok(Answer::Done)
    }

    /// Puts what happened in the queue of every webhook that asked for it. What a memory said before it was
    /// erased is not sent any more.
    pub(super) async fn queue(
        &self,
        notices: &[&Notice],
        owner: &Owner,
        now: Now,
        writes: &mut Vec<Write>,
    ) -> Done<()> {
        let webhooks = self.every_webhook().await?;
        if webhooks.is_empty() || notices.is_empty() {
            return Ok(());
        }
        let waiting = self.all::<Delivery>("delivery/").await?;
        let mut room = MAX_WAITING.saturating_sub(waiting.len());
        let erased: Vec<Id> = notices.iter().filter_map(|it| erased(it)).collect();
        for (key, mut delivery) in waiting {
            if erased.contains(&delivery.memory)
                && let Some(text) = delivery.body.pointer_mut("/event_details/data/memory")
            {
                *text = json!("");
                writes.push(put(&key, &delivery)?);
            }
        }
        let mut number = 0u32;
        for notice in notices {
            for (event_type, memory, mut body) in told(notice) {
                let details = body.pointer_mut("/event_details");
                if let Some(details) = details.and_then(Value::as_object_mut) {
                    details.insert(format!("{}_id", owner.kind.as_str()), json!(owner.id));
                }
                if erased.contains(&memory)
                    && let Some(text) = body.pointer_mut("/event_details/data/memory")
                {
                    *text = json!("");
                }
                let asked = |it: &&Webhook| {
                    let is_new = notice.at >= it.created_at;
                    is_new && it.is_active && it.event_types.iter().any(|kind| kind == event_type)
                };
                for webhook in webhooks.iter().filter(asked) {
                    if room == 0 {
                        return Ok(());
                    }
                    room -= 1;
                    number += 1;
                    let id = format!("{}/{}-{number:04}", sortable(now.at), notice.id);
                    let delivery = Delivery {
                        id: id.clone(),
                        webhook: webhook.id.clone(),
                        url: String::new(),
                        secret: String::new(),
                        memory,
                        body: body.clone(),
                        attempts: 0,
                    };
                    writes.push(put(&format!("delivery/{id}"), &delivery)?);
                }
            }
        }
        Ok(())
    }

    pub(super) async fn due(&self, limit: usize, now: Now) -> Done<Answer> {
        let first = self.some::<Delivery>("delivery/", limit + 1).await?;
        let (mut deliveries, mut next) = (Vec::new(), None);
        for (key, mut delivery) in first {
            let due = key.split('/').nth(1).and_then(|at| at.parse().ok());
            let due = Moment::from_millis(due.unwrap_or(0));
            if due > now.at || deliveries.len() == limit {
                next = Some(due.max(now.at));
                break;
            }
            let webhook = format!("webhook/{}", delivery.webhook);
            match self.get::<Webhook>(&webhook).await? {
                // What may be sent to can have changed since.
                Some(webhook)
                    if webhook.is_active && check_url(&webhook.url, self.private).is_ok() =>
                {
                    delivery.url = webhook.url;
                    delivery.secret = webhook.secret;
                    deliveries.push(delivery);
                }
                _ => self.commit(vec![delete(&key)]).await?,
            }
        }
        Ok(Answer::Due { deliveries, next })
    }

    pub(super) async fn delivered(&self, id: &str, delivered: bool, now: Now) -> Done<Answer> {
        let key = format!("delivery/{id}");
        let Some(mut delivery) = self.get::<Delivery>(&key).await? else {
            return Ok(Answer::Done);
        };
        let mut writes = vec![delete(&key)];
        delivery.attempts += 1;
        if !delivered && delivery.attempts < MAX_ATTEMPTS {
            let name = id.split_once('/').map_or(id, |(_, name)| name);
            let at = now.at.plus_millis(backoff_ms(delivery.attempts));
            delivery.id = format!("{}/{name}", sortable(at));
            writes.push(put(&format!("delivery/{}", delivery.id), &delivery)?);
        }
        self.commit(writes).await?;
        Ok(Answer::Done)
    }
}

/// The wait before the next try: 2 s, 10 s, 50 s, … up to 6 hours.
fn backoff_ms(attempts: u32) -> i64 {
    let wait = 2_000i64.saturating_mul(5i64.saturating_pow(attempts.saturating_sub(1)));
    wait.min(6 * 3_600_000)
}

/// The memory whose words are gone.
fn erased(notice: &Notice) -> Option<Id> {
    match &notice.what {
        Happened::Memory {
            id,
            kind: ChangeKind::Delete,
            text,
            ..
        } if text.is_empty() => Some(*id),
        _ => None,
    }
}

/// What is sent of something that happened: the type of the event, the memory and the body.
fn told(notice: &Notice) -> Vec<(&'static str, Id, Value)> {
    let Happened::Memory {
        id,
        kind,
        text,
        categories,
    } = &notice.what
    else {
        return Vec::new();
    };
    let event_type = match kind {
        ChangeKind::Add => "memory_add",
        ChangeKind::Update => "memory_update",
        ChangeKind::Delete => "memory_delete",
        ChangeKind::None => return Vec::new(),
    };
    let details = json!({"id": id, "data": {"memory": text}, "event": kind});
    let mut told = vec![(event_type, *id, json!({"event_details": details}))];
    if !categories.is_empty() {
        let details = json!({"event": "CATEGORIZE", "memory_id": id, "categories": categories});
        told.push(("memory_categorize", *id, json!({"event_details": details})));
    }
    told
}

fn change(webhook: &mut Webhook, fields: &Map<String, Value>, private: bool) -> Done<()> {
    let bad = |message: &str| DirectoryError::Bad(message.to_owned());
    let text = |value: &Value| {
        let text = value.as_str().map(str::trim).unwrap_or_default();
        (!text.is_empty() && text.len() <= 2_000).then(|| text.to_owned())
    };
    if let Some(name) = fields.get("name") {
        webhook.name = text(name).ok_or_else(|| bad("'name' must be a text"))?;
    }
    if let Some(url) = fields.get("url") {
        let url = text(url).ok_or_else(|| bad("'url' must be a text"))?;
        check_url(&url, private)?;
        webhook.url = url;
    }
    if let Some(secret) = fields.get("secret") {
        webhook.secret = text(secret)
            .filter(|secret| secret.len() >= 16)
            .ok_or_else(|| bad("'secret' must have at least 16 characters"))?;
    }
    if let Some(is_active) = fields.get("is_active") {
        let flag = is_active.as_bool();
        webhook.is_active = flag.ok_or_else(|| bad("'is_active' must be true or false"))?;
    }
    if let Some(types) = fields.get("event_types") {
        let types = types.as_array().into_iter().flatten().map(Value::as_str);
        let types: Option<Vec<&str>> = types.collect();
        let types = types
            .filter(|all| !all.is_empty() && all.iter().all(|kind| EVENT_TYPES.contains(kind)));
        let types = types.ok_or_else(|| {
            let known = EVENT_TYPES.join(", ");
            DirectoryError::Bad(format!("'event_types' must be a list of some of: {known}"))
        })?;
        webhook.event_types = types.into_iter().map(str::to_owned).collect();
    }
    Ok(())
}

/// Whether something may be sent there: a URL of HTTPS that does not lead inside.
fn check_url(url: &str, private: bool) -> Done<()> {
    match WebAddress::read(url) {
        Ok(address) if private || address.is_public() => Ok(()),
        _ => Err(DirectoryError::Bad(
            "'url' must be a public address of HTTPS such as https://example.com/hook".to_owned(),
        )),
    }
}
