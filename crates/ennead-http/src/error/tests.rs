use super::*;

#[test]
fn every_code_has_a_word_of_its_own_and_a_status_of_failure() {
    let codes = [
        ErrorCode::InvalidArgument,
        ErrorCode::WrongType,
        ErrorCode::NotFound,
        ErrorCode::AlreadyExists,
        ErrorCode::Conflict,
        ErrorCode::NotLeader,
        ErrorCode::Unavailable,
        ErrorCode::Timeout,
        ErrorCode::TooLarge,
        ErrorCode::Unauthenticated,
        ErrorCode::PermissionDenied,
        ErrorCode::Unsupported,
        ErrorCode::Corrupted,
        ErrorCode::Internal,
    ];
    let mut seen = std::collections::BTreeSet::new();
    for code in codes {
        let (status, word, retryable) = words(code);
        assert!(seen.insert(word), "{word} twice");
        assert!(status.is_client_error() || status.is_server_error(), "{word}");
        // What may succeed later is never told as the client's own mistake, conflicts aside.
        assert!(!retryable || status.is_server_error() || status == StatusCode::CONFLICT, "{word}");
    }
}
