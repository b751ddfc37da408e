//! Pointers from C become slices here and nowhere else: [`borrow`].
//!
//! What can be checked is: null, alignment, a length beyond memory, and two operands in the same place of which one is
//! written. What cannot, that the memory is there for as many elements and for as long, is the caller's part.

use core::slice;

use crate::Status;

/// A type of which every pattern of bytes is a value.
///
/// # Safety
/// It must be true: memory of C is read as this type.
pub(crate) unsafe trait Plain: Copy {}

// SAFETY: every pattern is a number, or a NaN.
unsafe impl Plain for f32 {}
// SAFETY: every pattern is a number.
unsafe impl Plain for u32 {}

/// So many elements that are read. Null is as good as any pointer to none.
#[derive(Clone, Copy)]
pub(crate) struct Input<T>(pub(crate) *const T, pub(crate) usize);

/// So many elements that are written, and may be read.
#[derive(Clone, Copy)]
pub(crate) struct Output<T>(pub(crate) *mut T, pub(crate) usize);

/// Addresses from `start` to before `end`.
#[derive(Clone, Copy)]
pub(crate) struct Region {
    start: usize,
    end: usize,
    written: bool,
}

impl Region {
    fn new<T>(pointer: *const T, len: usize, written: bool) -> Result<Self, Status> {
        if len == 0 {
            return Ok(Self { start: 0, end: 0, written });
        }
        if pointer.is_null() {
            return Err(Status::Null);
        }
        if !pointer.is_aligned() {
            return Err(Status::Misaligned);
        }
        // A slice may be no larger than isize::MAX, nor go beyond the last address.
        let bytes = len.checked_mul(size_of::<T>()).filter(|bytes| isize::try_from(*bytes).is_ok());
        let end = bytes.and_then(|bytes| pointer.addr().checked_add(bytes)).ok_or(Status::TooLarge)?;
        Ok(Self { start: pointer.addr(), end, written })
    }

    fn is_apart_from(&self, other: &Self) -> bool {
        self.end <= other.start || other.end <= self.start || !(self.written || other.written)
    }
}

/// An operand.
pub(crate) trait Lent {
    /// What it becomes.
    type Slice<'a>;

    /// Where it lies, if a slice can lie there.
    fn region(&self) -> Result<Region, Status>;

    /// The slice.
    ///
    /// # Safety
    /// [`Lent::region`] has succeeded. For 'a the memory holds as many elements, nothing but the slice writes to them, and if
    /// the slice may write, nothing else reads them.
    unsafe fn slice<'a>(self) -> Self::Slice<'a>;
}

impl<T: Plain + 'static> Lent for Input<T> {
    type Slice<'a> = &'a [T];

    fn region(&self) -> Result<Region, Status> {
        Region::new(self.0, self.1, false)
    }

    unsafe fn slice<'a>(self) -> &'a [T] {
        if self.1 == 0 {
            return &[];
        }
        // SAFETY: `region` has found the pointer aligned, not null, and the size in range; the rest is this function's
        // own condition. Bytes that C left uninitialised have some value by the time that compiled code is called,
        // and every value is a T.
        unsafe { slice::from_raw_parts(self.0, self.1) }
    }
}

impl<T: Plain + 'static> Lent for Output<T> {
    type Slice<'a> = &'a mut [T];

    fn region(&self) -> Result<Region, Status> {
        Region::new(self.0, self.1, true)
    }

    unsafe fn slice<'a>(self) -> &'a mut [T] {
        if self.1 == 0 {
            return &mut [];
        }
        // SAFETY: as for Input; that nothing else reads or writes meanwhile is this function's own condition.
        unsafe { slice::from_raw_parts_mut(self.0, self.1) }
    }
}

/// All operands of a function.
pub(crate) trait Operands {
    /// What they become.
    type Slices<'a>;

    /// Succeeds if each can be a slice and none lies where another is written.
    fn check(&self) -> Result<(), Status>;

    /// The slices.
    ///
    /// # Safety
    /// [`Operands::check`] has succeeded, and each operand fulfils the conditions of [`Lent::slice`] but for the other
    /// operands.
    unsafe fn slices<'a>(self) -> Self::Slices<'a>;
}

macro_rules! operands {
    ($($name:ident)*) => {
        impl<$($name: Lent),*> Operands for ($($name,)*) {
            type Slices<'a> = ($($name::Slice<'a>,)*);

            fn check(&self) -> Result<(), Status> {
                #[expect(non_snake_case, reason = "a variable per type")]
                let ($($name,)*) = self;
                let regions = [$($name.region()?),*];
                let mut rest = &regions[..];
                while let [first, others @ ..] = rest {
                    if !others.iter().all(|other| first.is_apart_from(other)) {
                        return Err(Status::Overlap);
                    }
                    rest = others;
                }
                Ok(())
            }

            unsafe fn slices<'a>(self) -> Self::Slices<'a> {
                #[expect(non_snake_case, reason = "a variable per type")]
                let ($($name,)*) = self;
                // SAFETY: `check` has called every `region` and found that no operand is written where another lies;
                // the rest is this function's own condition.
                unsafe { ($($name.slice(),)*) }
            }
        }
    };
}

operands!(A);
operands!(A B);
operands!(A B C);
operands!(A B C D);
operands!(A B C D E);
operands!(A B C D E F);
operands!(A B C D E F G);
operands!(A B C D E F G H);

/// The operands of a function as slices.
///
/// # Errors
/// `Null`, `Misaligned`, `TooLarge`, `Overlap`.
///
/// # Safety
/// For 'a the memory behind each operand that passes the checks holds as many elements, no other thread or interrupt
/// writes to it, or reads what is an [`Output`], and no other slice of an [`Output`] lives.
pub(crate) unsafe fn borrow<'a, O: Operands>(operands: O) -> Result<O::Slices<'a>, Status> {
    operands.check()?;
    // SAFETY: checked; the rest is this function's own condition.
    Ok(unsafe { operands.slices() })
}

/// The elements of an operand that is read, in the place of one that is written; both may be the same.
///
/// # Errors
/// `Null`, `Misaligned`, `TooLarge`; `Overlap` unless they are the same.
///
/// # Safety
/// As for [`borrow`].
pub(crate) unsafe fn borrow_in_place<'a>(
    from: *const f32,
    to: *mut f32,
    len: usize,
) -> Result<&'a mut [f32], Status> {
    if from != to.cast_const() {
        // SAFETY: this function's own condition; the slices end with this block.
        let (from, to) = unsafe { borrow((Input(from, len), Output(to, len))) }?;
        for (to, from) in to.iter_mut().zip(from) {
            *to = *from;
        }
    }
    // SAFETY: this function's own condition.
    let (to,) = unsafe { borrow((Output(to, len),)) }?;
    Ok(to)
}

/// The number of elements of a matrix.
///
/// # Errors
/// `TooLarge`.
pub(crate) fn area(rows: usize, columns: usize) -> Result<usize, Status> {
    rows.checked_mul(columns).ok_or(Status::TooLarge)
}
