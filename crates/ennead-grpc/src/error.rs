//! The one place where failures become gRPC: a code of the same name, and the words of the model or of etcd's library.

#[cfg(test)]
mod tests;

use ennead_engine::coord::{Code, Error};
use tonic::Status;
use tonic::codegen::http::Response;

/// What our library begins with when it refuses a message for its size, which it does with another code.
const TOO_LARGE: &str = "Error, decoded message length too large: found ";
const LIMIT: &str = " bytes, the limit is: ";

pub(crate) fn status(error: Error) -> Status {
    Status::new(code(error.code()), error.to_string())
}

/// The refusal of a message that is too large in the words of etcd's library, which clients know.
pub(crate) fn too_large(status: Status) -> Status {
    let sizes = status.message().strip_prefix(TOO_LARGE).filter(|_| status.code() == tonic::Code::OutOfRange);
    let Some((found, limit)) = sizes.and_then(|sizes| sizes.strip_suffix(" bytes")?.split_once(LIMIT)) else {
        return status;
    };
    Status::resource_exhausted(format!("grpc: received message larger than max ({found} vs. {limit})"))
}

/// The same for answers that are made before a service is asked.
pub(crate) fn reworded<B>(mut response: Response<B>) -> Response<B> {
    if response.headers().contains_key(Status::GRPC_STATUS)
        && let Some(status) = Status::from_header_map(response.headers())
        && status.code() == tonic::Code::OutOfRange
    {
        // Fails for texts that are no header, which this one is.
        let _ = too_large(status).add_header(response.headers_mut());
    }
    response
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
