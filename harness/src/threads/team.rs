//! Threads that wait awake for the next piece of work of a training step.
//!
//! A step of a network of 32 x 128 is some two hundred products and element-wise passes of a few microseconds each. A
//! general pool puts idle threads to sleep between them, and waking one takes as long as the piece itself; here a worker
//! looks for its next piece for some tens of microseconds before it sleeps, so handing one over and waiting for its end
//! take a tenth of a microsecond. The caller works too, and each piece has a thread of its own choice: the rows of a
//! batch stay in one core's caches from layer to layer. A piece that its worker has not begun when the caller has done
//! its own, since another program has the core, is taken back: nobody waits for a thread that is not running.

use std::any::Any;
use std::hint;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use super::Threads;

/// Looks for work before a worker sleeps, and for a worker's end before the caller lets others run: some 50 us.
const PATIENCE: u32 = 4096;

/// Nanoseconds that handing over is taken to cost where there was no core for a worker when it was measured.
const BUSY: usize = 1000;

/// The worker waits awake.
const IDLE: u32 = 0;
/// The worker sleeps, or is about to.
const ASLEEP: u32 = 1;
/// Someone is about to post a piece of work, or has taken one back and is about to be done with it.
const TAKEN: u32 = 2;
/// A piece of work is there to be begun.
const POSTED: u32 = 3;
/// The worker is at it.
const RUNNING: u32 = 4;
/// The worker has done it.
const DONE: u32 = 5;
/// The worker is to end.
const CLOSED: u32 = 6;

/// A piece of work on the stack of who posts it.
struct Job<'a> {
    work: &'a mut (dyn FnMut() + Send),
    panic: Option<Box<dyn Any + Send>>,
}

/// Where a worker finds its next piece. On lines of the cache of its own, as it is looked at all the time.
#[repr(align(128))]
struct Slot {
    state: AtomicU32,
    job: AtomicPtr<Job<'static>>,
}

impl Slot {
    fn change(&self, from: u32, to: u32) -> bool {
        self.state.compare_exchange(from, to, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }
}

struct Worker {
    slot: Arc<Slot>,
    thread: JoinHandle<()>,
}

impl Worker {
    fn start() -> io::Result<Self> {
        let slot = Arc::new(Slot { state: AtomicU32::new(IDLE), job: AtomicPtr::new(ptr::null_mut()) });
        let of_worker = Arc::clone(&slot);
        let thread = thread::Builder::new().name("isobath".to_owned()).spawn(move || work(&of_worker))?;
        Ok(Self { slot, thread })
    }

    /// Runs `beside` here, and meanwhile `job` on the worker, or here too if the worker is not free.
    fn share(&self, job: &mut Job<'_>, beside: impl FnOnce()) {
        let awake = self.slot.change(IDLE, TAKEN);
        if !awake && !self.slot.change(ASLEEP, TAKEN) {
            beside();
            (job.work)();
            return;
        }
        self.slot.job.store(ptr::from_mut(job).cast(), Ordering::Relaxed);
        self.slot.state.store(POSTED, Ordering::SeqCst);
        if !awake {
            self.thread.thread().unpark();
        }
        // Whatever happens, the job must not be left while the worker may run it.
        let own = catch_unwind(AssertUnwindSafe(beside));
        if self.slot.change(POSTED, TAKEN) {
            self.slot.state.store(IDLE, Ordering::Release);
            if own.is_ok() {
                (job.work)();
            }
        } else {
            wait_until(|| self.slot.state.load(Ordering::Acquire) == DONE);
            self.slot.state.store(IDLE, Ordering::Release);
        }
        if let Some(panic) = own.err().or_else(|| job.panic.take()) {
            resume_unwind(panic);
        }
    }
}

/// Nanoseconds that it takes to hand nothing over to a worker and hear that it is done: a tenth of a microsecond between
/// cores of one cache, half of one between the caches of a large processor.
fn handover(worker: &Worker) -> usize {
    const TIMES: usize = 100;
    let here = thread::current().id();
    let one = || {
        let (begun, mut elsewhere) = (AtomicBool::new(false), false);
        let start = Instant::now();
        let mut work = || {
            begun.store(true, Ordering::Relaxed);
            elsewhere = thread::current().id() != here;
        };
        // Or else the caller would take it back at once.
        let wait = || {
            _ = (0..PATIENCE).find(|_| {
                hint::spin_loop();
                begun.load(Ordering::Relaxed)
            });
        };
        worker.share(&mut Job { work: &mut work, panic: None }, wait);
        elsewhere.then(|| start.elapsed().as_nanos() as usize)
    };
    // Where the worker never came to run, the cores are taken.
    (0..TIMES).filter_map(|_| one()).min().unwrap_or(BUSY)
}

/// What a worker does.
fn work(slot: &Slot) {
    loop {
        let mut looks = 0;
        loop {
            match slot.state.load(Ordering::Relaxed) {
                POSTED if slot.change(POSTED, RUNNING) => break,
                CLOSED => return,
                ASLEEP => thread::park(),
                _ if looks < PATIENCE => {
                    looks += 1;
                    hint::spin_loop();
                }
                _ => {
                    slot.change(IDLE, ASLEEP);
                    looks = 0;
                }
            }
        }
        let job = slot.job.load(Ordering::Relaxed);
        // SAFETY: The state was POSTED, so `share` has stored a pointer to a job before (the exchange of the state makes
        // that visible), and it neither touches that job nor returns before the state, now RUNNING, is DONE.
        let job = unsafe { &mut *job };
        job.panic = catch_unwind(AssertUnwindSafe(|| (job.work)())).err();
        slot.state.store(DONE, Ordering::Release);
    }
}

/// Looks at a condition that another running thread will soon bring about.
fn wait_until(is_so: impl Fn() -> bool) {
    let mut looks = 0_u32;
    while !is_so() {
        if looks < PATIENCE {
            looks += 1;
            hint::spin_loop();
        } else {
            thread::yield_now();
        }
    }
}

/// Threads that wait for work. They end when this is dropped.
///
/// ```
/// use isobath::activation::Activation;
/// use isobath::init::Init;
/// use isobath::net::{Arena, Layer, Mode, Pass, Place, Plan, Unwatched};
/// use isobath::random::Random;
/// use isobath::threads::{Serial, Threads, Workers};
/// use isobath_kernels::Level;
///
/// let layers = [[Layer::dense(64, Init::XAVIER), Layer::Activation(Activation::Tanh)]; 3].concat();
/// let mut places = [Place::default(); 6];
/// let plan = Plan::new(64, 32, &layers, &mut places)?;
/// // All gradients after a forward and a backward pass.
/// fn gradients<T: Threads>(plan: Plan<'_>, threads: &T) -> Result<Vec<f32>, Box<dyn std::error::Error>> {
///     let mut memory = vec![0.0; plan.arena_len(0, threads.count())?];
///     let mut arena = Arena::new(&plan, 0, threads.count(), &mut memory)?;
///     arena.initialise(&plan, &mut Random::new(1));
///     arena.input_mut(&plan, 32).fill(0.5);
///     let pass = Pass { plan, level: Level::detect(), threads, rows: 32 };
///     pass.forward(&mut arena, Mode::Training, &mut Unwatched)?;
///     pass.backward(&mut arena, &vec![1.0; 32 * 64], false, &mut Unwatched)?;
///     Ok(arena.gradients.to_vec())
/// }
/// let workers = Workers::new(2)?;
/// assert_eq!(gradients(plan, &workers.team())?, gradients(plan, &Serial)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Workers {
    workers: Vec<Worker>,
    handover: usize,
}

impl Workers {
    /// Starts one thread less than `threads`, since the caller works too.
    ///
    /// # Errors
    /// The system gives no more threads.
    pub fn new(threads: usize) -> io::Result<Self> {
        let mut all = Self { workers: Vec::new(), handover: 0 };
        for _ in 1..threads {
            all.workers.push(Worker::start()?);
        }
        all.handover = all.workers.iter().map(handover).max().unwrap_or(0);
        Ok(all)
    }

    /// The caller and all of them.
    pub fn team(&self) -> Team<'_> {
        Team { workers: &self.workers, handover: self.handover }
    }
}

impl std::fmt::Debug for Workers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Workers({})", self.workers.len())
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        // Teams borrow the workers, so that none has work now.
        for worker in &self.workers {
            worker.slot.state.store(CLOSED, Ordering::SeqCst);
            worker.thread.thread().unpark();
        }
        for worker in self.workers.drain(..) {
            // A worker catches what its work panics with.
            let _ = worker.thread.join();
        }
    }
}

/// The calling thread and some workers.
///
/// ```
/// use isobath::threads::{Threads, Workers};
///
/// let workers = Workers::new(3)?;
/// let team = workers.team();
/// assert_eq!(team.count(), 3);
/// // A join gives one thread to the first piece and two to the second.
/// let (mut first, mut second) = (0, 0);
/// team.join(|half| first = half.count(), |half| second = half.count());
/// assert_eq!((first, second), (1, 2));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct Team<'a> {
    workers: &'a [Worker],
    handover: usize,
}

impl std::fmt::Debug for Team<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Team({})", self.count())
    }
}

impl Threads for Team<'_> {
    fn count(&self) -> usize {
        self.workers.len() + 1
    }

    fn handover(&self) -> usize {
        self.handover
    }

    fn join(&self, first: impl FnOnce(&Self) + Send, second: impl FnOnce(&Self) + Send) {
        let (own, others) = self.workers.split_at(self.count() / 2 - usize::from(self.count() > 1));
        let Some((leader, others)) = others.split_first() else {
            first(self);
            second(self);
            return;
        };
        let mut second = Some(second);
        let mut work = || {
            if let Some(second) = second.take() {
                second(&Self { workers: others, ..*self });
            }
        };
        leader.share(&mut Job { work: &mut work, panic: None }, || first(&Self { workers: own, ..*self }));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    /// Adds 1 to each of some counts, in as many pieces as there are threads.
    fn count_up<T: Threads>(threads: &T, counts: &mut [usize]) {
        if threads.count() == 1 || counts.len() < 2 {
            counts.iter_mut().for_each(|count| *count += 1);
            return;
        }
        let (first, second) = counts.split_at_mut(counts.len() / 2);
        threads.join(|team| count_up(team, first), |team| count_up(team, second));
    }

    #[test]
    fn every_piece_is_done_once_by_any_number_of_threads() {
        for threads in 1..=7 {
            let workers = Workers::new(threads).expect("threads");
            assert_eq!(workers.team().count(), threads);
            let mut counts = vec![0; 23];
            let times = if cfg!(miri) { 20 } else { 2000 };
            for _ in 0..times {
                count_up(&workers.team(), &mut counts);
            }
            assert_eq!(counts, [times; 23], "{threads} threads");
        }
    }

    #[test]
    fn halves_of_a_team_are_all_of_it() {
        for threads in 2..=7 {
            let workers = Workers::new(threads).expect("threads");
            let (mut first, mut second) = (0, 0);
            workers.team().join(|team| first = team.count(), |team| second = team.count());
            assert_eq!((first, second), (threads / 2, threads - threads / 2));
        }
    }

    #[test]
    fn workers_that_sleep_are_woken() {
        let workers = Workers::new(3).expect("threads");
        let mut counts = vec![0; 3];
        for _ in 0..5 {
            while workers.workers.iter().any(|worker| worker.slot.state.load(Ordering::SeqCst) != ASLEEP) {
                thread::yield_now();
            }
            count_up(&workers.team(), &mut counts);
        }
        assert_eq!(counts, [5; 3]);
    }

    #[test]
    fn a_busy_worker_is_not_waited_for() {
        let workers = Workers::new(2).expect("threads");
        let team = workers.team();
        let (outer, inner) = (AtomicUsize::new(0), AtomicUsize::new(0));
        // The worker is at the second piece, or nobody yet, when the first asks the whole team again.
        team.join(
            |_| {
                team.join(|_| (), |_| _ = inner.fetch_add(1, Ordering::Relaxed));
                outer.fetch_add(1, Ordering::Relaxed);
            },
            |_| {
                team.join(|_| (), |_| _ = inner.fetch_add(1, Ordering::Relaxed));
                outer.fetch_add(1, Ordering::Relaxed);
            },
        );
        assert_eq!((outer.into_inner(), inner.into_inner()), (2, 2));
    }

    #[test]
    fn a_panic_comes_back_to_the_caller_and_the_workers_live_on() {
        let workers = Workers::new(2).expect("threads");
        let team = workers.team();
        for _ in 0..3 {
            for (first, second) in [(true, false), (false, true), (true, true)] {
                let work = |panics: bool| assert!(!panics, "on purpose");
                let caught = catch_unwind(AssertUnwindSafe(|| team.join(|_| work(first), |_| work(second))));
                assert!(caught.is_err());
            }
        }
        let mut counts = vec![0; 2];
        count_up(&team, &mut counts);
        assert_eq!(counts, [1; 2]);
    }
}
