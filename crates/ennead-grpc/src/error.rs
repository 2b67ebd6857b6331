//! The one place where failures become gRPC: a code of the same name, and the words of the model.

use ennead_engine::coord::{Code, Error};
use tonic::Status;

pub(crate) fn status(error: Error) -> Status {
    Status::new(code(error.code()), error.to_string())
}

fn code(code: Code) -> tonic::Code {
    match code {
        Code::Canceled => tonic::Code::Cancelled,
        Code::Unknown => tonic::Code::Unknown,
        Code::InvalidArgument => tonic::Code::InvalidArgument,
        Code::NotFound => tonic::Code::NotFound,
        Code::PermissionDenied => tonic::Code::PermissionDenied,
        Code::ResourceExhausted => tonic::Code::ResourceExhausted,
        Code::FailedPrecondition => tonic::Code::FailedPrecondition,
        Code::OutOfRange => tonic::Code::OutOfRange,
        Code::Unimplemented => tonic::Code::Unimplemented,
        Code::Unavailable => tonic::Code::Unavailable,
        Code::DataLoss => tonic::Code::DataLoss,
        Code::Unauthenticated => tonic::Code::Unauthenticated,
        // Codes that the model may add are told like a fault of ours.
        _ => tonic::Code::Internal,
    }
}
