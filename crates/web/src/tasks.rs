//! Futures that JavaScript runs, a step at a time.
//!
//! A step is a call from JavaScript, so that a trap is thrown at somebody: in a task of its own, nobody would hear of it
//! and whoever waits would wait for ever.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use futures_util::future::LocalBoxFuture;
use wasm_bindgen::JsValue;

use crate::host::Host;

thread_local! {
    static TASKS: RefCell<HashMap<u32, Task>> = RefCell::default();
}

struct Task {
    host: Rc<Host>,
    /// `None` while it makes a step.
    future: Option<LocalBoxFuture<'static, ()>>,
}

/// Begins a task under a number that no other has. The host is told of its end by [`Host::done`], and by
/// [`Host::wake`] whenever it can make another step.
pub fn start(
    number: u32,
    host: &Rc<Host>,
    work: impl Future<Output = Result<String, JsValue>> + 'static,
) {
    let told = host.clone();
    let future = Box::pin(async move {
        match work.await {
            Ok(answer) => told.done(number, &answer),
            Err(error) => told.failed(number, &error),
        }
    });
    let task = Task {
        host: host.clone(),
        future: Some(future),
    };
    TASKS.with_borrow_mut(|tasks| tasks.insert(number, task));
    step(number);
}

/// Makes a step of a task, if it is not over.
pub fn step(number: u32) {
    let future = TASKS.with_borrow_mut(|tasks| tasks.get_mut(&number)?.future.take());
    let Some(mut future) = future else { return };
    let waker = Waker::from(Arc::new(Alarm(number)));
    let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
    // What is dropped here may wake others, so that nothing is borrowed then.
    let over = TASKS.with_borrow_mut(|tasks| match polled {
        Poll::Ready(()) => tasks.remove(&number),
        Poll::Pending => {
            if let Some(task) = tasks.get_mut(&number) {
                task.future = Some(future);
            }
            None
        }
    });
    drop(over);
}

/// Asks JavaScript for another step.
struct Alarm(u32);

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        let host = TASKS.with_borrow(|tasks| Some(tasks.get(&self.0)?.host.clone()));
        if let Some(host) = host {
            host.wake(self.0);
        }
    }
}
