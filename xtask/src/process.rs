//! Programs that run beside this one and end with it.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::failure::{Failure, While};

/// How many lines of a program's output are kept to show when it fails.
const TAIL: usize = 60;
/// How long a program may take to end by itself.
const PATIENCE: Duration = Duration::from_secs(5);

static SERVING: AtomicBool = AtomicBool::new(false);
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Whether the user asked to end.
pub fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}

/// From now on Ctrl-C (and an end of the session) is noted instead of ending the program at once, so that
/// services can be stopped properly. A second one does end it; the guards stop the services then.
pub fn handle_interrupts() -> Result<(), Failure> {
    ctrlc::set_handler(|| {
        if INTERRUPTED.swap(true, Ordering::SeqCst) || !SERVING.load(Ordering::SeqCst) {
            std::process::exit(130);
        }
    })
    .map_err(std::io::Error::other)
    .trying("listening for Ctrl-C")
}

#[derive(Debug, Default)]
struct Output {
    tail: Mutex<VecDeque<String>>,
    shown: AtomicBool,
}

impl Output {
    fn follow(self: Arc<Self>, name: &'static str, stream: impl Read + Send + 'static) {
        thread::spawn(move || {
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                if self.shown.load(Ordering::SeqCst) && !line.trim().is_empty() {
                    println!("{name} | {line}");
                }
                let mut tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
                if tail.len() == TAIL {
                    tail.pop_front();
                }
                tail.push_back(line);
            }
        });
    }
}

/// A program with whatever it starts, in a process group of its own.
#[derive(Debug)]
pub struct Service {
    name: &'static str,
    child: Child,
    guard: Child,
    output: Arc<Output>,
}

impl Service {
    /// Starts it.
    pub fn start(name: &'static str, command: &mut Command) -> Result<Self, Failure> {
        SERVING.store(true, Ordering::SeqCst);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command
            .process_group(0)
            .spawn()
            .trying(format!("starting {name}"))?;
        let output = Arc::new(Output::default());
        if let Some(stream) = child.stdout.take() {
            output.clone().follow(name, stream);
        }
        if let Some(stream) = child.stderr.take() {
            output.clone().follow(name, stream);
        }
        // A guard reads from a pipe that only this program holds open: when this program is killed, the read
        // ends, and the guard ends the group.
        let guard = Command::new("sh")
            .args([
                "-c",
                "read -r _ || kill -s KILL -- -$0",
                &child.id().to_string(),
            ])
            .stdin(Stdio::piped())
            .process_group(0)
            .spawn();
        let guard = match guard {
            Ok(guard) => guard,
            Err(source) => {
                let _ = child.kill();
                let what = format!("starting the guard of {name}");
                return Err(Failure::Io { what, source });
            }
        };
        Ok(Self {
            name,
            child,
            guard,
            output,
        })
    }

    /// The last lines that it printed.
    pub fn log(&self) -> String {
        let tail = self
            .output
            .tail
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        tail.iter()
            .map(|line| format!("  {} | {line}\n", self.name))
            .collect()
    }

    /// Prints what it says from now on.
    pub fn show(&self) {
        self.output.shown.store(true, Ordering::SeqCst);
    }

    /// Waits until `ready` says something: it is asked about the lines so far, again and again.
    ///
    /// # Errors
    /// When the program ends, the time is over, or the user interrupts.
    pub fn wait_for<T>(
        &mut self,
        limit: Duration,
        mut ready: impl FnMut(&VecDeque<String>) -> Option<T>,
    ) -> Result<T, Failure> {
        let start = Instant::now();
        loop {
            let lines = self
                .output
                .tail
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone();
            if let Some(found) = ready(&lines) {
                return Ok(found);
            }
            let late = start.elapsed() > limit;
            if late || interrupted() || self.ended() {
                if interrupted() {
                    return Err(Failure::Interrupted);
                }
                let what = if late {
                    format!("{} was not ready after {} s", self.name, limit.as_secs())
                } else {
                    format!("{} ended before it was ready", self.name)
                };
                return Err(Failure::Served {
                    what,
                    log: self.log(),
                });
            }
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Whether it is gone.
    pub fn ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    fn signal(&self, signal: Signal) -> bool {
        i32::try_from(self.child.id()).is_ok_and(|id| killpg(Pid::from_raw(id), signal).is_ok())
    }
}

impl Drop for Service {
    /// Asks the group to end, then makes it.
    fn drop(&mut self) {
        let start = Instant::now();
        self.signal(Signal::SIGTERM);
        while !self.ended() && start.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(20));
        }
        self.signal(Signal::SIGKILL);
        let _ = self.child.wait();
        let _ = self.guard.kill();
        let _ = self.guard.wait();
    }
}

/// How a service ended, in words.
pub fn ending(service: &mut Service) -> String {
    match service.child.wait() {
        Ok(status) => match status.signal() {
            Some(signal) => format!("{} was ended by signal {signal}", service.name),
            None => format!("{} ended ({status})", service.name),
        },
        Err(error) => format!("{} is lost: {error}", service.name),
    }
}
