//! What a function returns.

use core::ffi::{CStr, c_char};

use isobath_kernels::LengthError;
use isobath_kernels::batch_norm::BatchNormError;
use isobath_kernels::clip::ClipError;
use isobath_kernels::gemm::GemmError;
use isobath_kernels::loss::LossError;
use isobath_kernels::reduce::ShapeError;
use isobath_kernels::view::ViewError;

/// How a call ended. Unless it is OK, nothing has been written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Status {
    /// Done.
    Ok = 0,
    /// A pointer is null where elements are needed.
    Null = 1,
    /// A pointer is not aligned to its type.
    Misaligned = 2,
    /// An operand is larger than memory.
    TooLarge = 3,
    /// Something is written where another operand lies.
    Overlap = 4,
    /// A code names no activation, or no start of a product.
    Code = 5,
    /// The workspace is neither empty nor as long as isobath_gemm_workspace_len says.
    Workspace = 6,
    /// A label is not less than the number of classes.
    Label = 7,
    /// A norm to clip to is negative or NaN.
    Bound = 8,
    /// Batch normalisation trains on 2 rows or more.
    Batch = 9,
    /// Adam updates weights in a step that isobath_adam_advance has begun.
    Step = 10,
    /// A defect of this library; please report it.
    Internal = 11,
}

impl Status {
    const ALL: [Self; 12] = [
        Self::Ok,
        Self::Null,
        Self::Misaligned,
        Self::TooLarge,
        Self::Overlap,
        Self::Code,
        Self::Workspace,
        Self::Label,
        Self::Bound,
        Self::Batch,
        Self::Step,
        Self::Internal,
    ];

    fn text(self) -> &'static CStr {
        match self {
            Self::Ok => c"done",
            Self::Null => c"a pointer is null where elements are needed",
            Self::Misaligned => c"a pointer is not aligned to its type",
            Self::TooLarge => c"an operand is larger than memory",
            Self::Overlap => c"something is written where another operand lies",
            Self::Code => c"a code names no activation, or no start of a product",
            Self::Workspace => {
                c"the workspace is neither empty nor as long as isobath_gemm_workspace_len says"
            }
            Self::Label => c"a label is not less than the number of classes",
            Self::Bound => c"a norm to clip to is negative or NaN",
            Self::Batch => c"batch normalisation trains on 2 rows or more",
            Self::Step => c"no step of Adam has begun: call isobath_adam_advance first",
            Self::Internal => c"a defect of isobath; please report it",
        }
    }
}

/// What a status means: a sentence in English, in static memory. Takes any number; never returns null.
#[unsafe(no_mangle)]
pub extern "C" fn isobath_status_text(status: i32) -> *const c_char {
    let known = Status::ALL.into_iter().find(|known| *known as i32 == status);
    known.map_or(c"no status of isobath", Status::text).as_ptr()
}

/// The status of a function that is `body`.
pub(crate) fn status(body: impl FnOnce() -> Result<(), Status>) -> Status {
    body().err().unwrap_or(Status::Ok)
}

// Lengths and shapes are derived from one set of sizes: kernels find them equal.
impl From<LengthError> for Status {
    fn from(_: LengthError) -> Self {
        Self::Internal
    }
}

impl From<ShapeError> for Status {
    fn from(_: ShapeError) -> Self {
        Self::Internal
    }
}

impl From<ViewError> for Status {
    fn from(_: ViewError) -> Self {
        Self::Internal
    }
}

impl From<GemmError> for Status {
    fn from(error: GemmError) -> Self {
        match error {
            GemmError::Workspace { .. } => Self::Workspace,
            GemmError::Shape { .. } | GemmError::Bias { .. } => Self::Internal,
        }
    }
}

impl From<LossError> for Status {
    fn from(error: LossError) -> Self {
        match error {
            LossError::Label { .. } => Self::Label,
            LossError::Shape(error) => error.into(),
        }
    }
}

impl From<ClipError> for Status {
    fn from(error: ClipError) -> Self {
        match error {
            ClipError::Bound { .. } => Self::Bound,
            ClipError::Shape(error) => error.into(),
        }
    }
}

impl From<BatchNormError> for Status {
    fn from(error: BatchNormError) -> Self {
        match error {
            BatchNormError::BatchTooSmall { .. } => Self::Batch,
            BatchNormError::Shape(error) => error.into(),
        }
    }
}
