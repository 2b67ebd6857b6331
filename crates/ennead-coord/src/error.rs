//! What this model refuses, with the codes and the words of etcd: its clients match on both.

/// The kind of a failure, by gRPC's names; a listener maps it to its protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Code {
    Canceled,
    Unknown,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    ResourceExhausted,
    FailedPrecondition,
    OutOfRange,
    Unimplemented,
    Unavailable,
    DataLoss,
    Unauthenticated,
}

macro_rules! errors {
    ($($name:ident: $code:ident, $text:literal;)+) => {
        /// Why a request was refused. Nothing was changed then.
        #[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
        #[non_exhaustive]
        pub enum Error {
            $(#[error($text)] $name,)+
            /// The store cannot take or give it now; the text says why.
            #[error("etcdserver: {0}")]
            Store(String),
            /// The fence before a write does not hold, with the reason.
            #[error("ennead: fenced: {0}; nothing was written")]
            Fenced(&'static str),
            /// Not there, with what it was.
            #[error("etcdserver: {0}")]
            Unsupported(&'static str),
        }

        impl Error {
            /// The kind of the failure.
            pub fn code(&self) -> Code {
                match self {
                    $(Error::$name => Code::$code,)+
                    Error::Store(_) => Code::Unavailable,
                    Error::Fenced(_) => Code::FailedPrecondition,
                    Error::Unsupported(_) => Code::Unimplemented,
                }
            }
        }
    };
}

errors! {
    EmptyKey: InvalidArgument, "etcdserver: key is not provided";
    KeyNotFound: InvalidArgument, "etcdserver: key not found";
    ValueProvided: InvalidArgument, "etcdserver: value is provided";
    LeaseProvided: InvalidArgument, "etcdserver: lease is provided";
    TooManyOperations: InvalidArgument, "etcdserver: too many operations in txn request";
    DuplicateKey: InvalidArgument, "etcdserver: duplicate key given in txn request";
    InvalidSortOption: InvalidArgument, "etcdserver: invalid sort option";
    Compacted: OutOfRange, "etcdserver: mvcc: required revision has been compacted";
    FutureRevision: OutOfRange, "etcdserver: mvcc: required revision is a future revision";
    NoSpace: ResourceExhausted, "etcdserver: mvcc: database space exceeded";
    LeaseNotFound: NotFound, "etcdserver: requested lease not found";
    LeaseExists: FailedPrecondition, "etcdserver: lease already exists";
    LeaseTtlTooLarge: OutOfRange, "etcdserver: too large lease TTL";
    MemberBadUrls: InvalidArgument, "etcdserver: given member URLs are invalid";
    PeerUrlExists: FailedPrecondition, "etcdserver: Peer URLs already exists";
    MemberNotFound: NotFound, "etcdserver: member not found";
    MemberNotLearner: FailedPrecondition, "etcdserver: can only promote a learner member";
    MemberNotEnoughStarted: FailedPrecondition,
        "etcdserver: re-configuration failed due to not enough started members";
    UserEmpty: InvalidArgument, "etcdserver: user name is empty";
    UserNotFound: FailedPrecondition, "etcdserver: user name not found";
    UserAlreadyExists: FailedPrecondition, "etcdserver: user name already exists";
    RoleEmpty: InvalidArgument, "etcdserver: role name is empty";
    RoleNotFound: FailedPrecondition, "etcdserver: role name not found";
    RoleAlreadyExists: FailedPrecondition, "etcdserver: role name already exists";
    RoleNotGranted: FailedPrecondition, "etcdserver: role is not granted to the user";
    RootUserNotExist: FailedPrecondition, "etcdserver: root user does not exist";
    RootRoleNotExist: FailedPrecondition, "etcdserver: root user does not have root role";
    AuthFailed: InvalidArgument, "etcdserver: authentication failed, invalid user ID or password";
    AuthNotEnabled: FailedPrecondition, "etcdserver: authentication is not enabled";
    NoPasswordUser: Unknown, "auth: authentication failed, password was given for no password user";
    InvalidAuthToken: Unauthenticated, "etcdserver: invalid auth token";
    AuthOldRevision: InvalidArgument, "etcdserver: revision of auth store is old";
    VerifyOnly: Unknown, "auth: token signing attempted with verify-only key";
    InvalidAuthManagement: InvalidArgument, "etcdserver: invalid auth management";
    PermissionNotGiven: InvalidArgument, "etcdserver: permission not given";
    PermissionNotGranted: FailedPrecondition, "etcdserver: permission is not granted to the role";
    PermissionDenied: PermissionDenied, "etcdserver: permission denied";
    RequestTooLarge: InvalidArgument, "etcdserver: request is too large";
    BadLeaderTransferee: FailedPrecondition, "etcdserver: bad leader transferee";
    WrongDowngradeVersion: InvalidArgument, "etcdserver: wrong downgrade target version format";
    InvalidDowngradeTarget: InvalidArgument, "etcdserver: invalid downgrade target version";
    Stopped: Unavailable, "etcdserver: server stopped";
    SessionExpired: Unknown, "mutex: session is expired";
    NotLeader: Unknown, "election: not leader";
    NoLeader: Unknown, "election: no leader";
    LeaderNotGiven: Unknown, "\"leader\" field must be provided";
    Corrupt: DataLoss, "etcdserver: corrupt cluster";
}

impl From<ennead_store::Error> for Error {
    fn from(error: ennead_store::Error) -> Self {
        Error::Store(error.to_string())
    }
}

/// What the functions of this crate answer.
pub type Result<T, E = Error> = std::result::Result<T, E>;
