//! `docs/reference/http.md`, from the tables of paths.

use std::fmt::Write;

use ennead_http::ROUTES;
use ennead_http::gateway::{PATHS, PREFIX};

pub(super) fn page() -> String {
    let mut page = String::from(
        "# HTTP\n\n\
         This page is generated from the tables of paths; `make docs` rewrites it.\n\n\
         Where the server has a password, it is asked for as `Authorization: Basic` with the base64 of name and password of a\n\
         user, or as `Bearer` with the password of `default`. Failures are a status and `{\"code\", \"message\", \"retryable\"}`.\n\n\
         | method | path | asks for the password | |\n|---|---|---|---|\n",
    );
    for (method, path, guarded, about) in ROUTES {
        let guarded = if *guarded { "yes" } else { "no" };
        let _ = writeln!(page, "| {method} | `{path}` | {guarded} | {about} |");
    }
    page.push_str(
        "\n## etcd's API as JSON\n\n\
         Each path takes POST. Its body is the message of the method in the JSON of protobuf: bytes in base64, numbers of 64 bits\n\
         as strings (or numbers), values of enumerations by name or number, names as in the protocol or in camel case; what is\n\
         left out has its default, what is not known is passed over. Answers have names as in the protocol. A method that answers a stream\n\
         answers a line `{\"result\": ...}` each, and `{\"error\": ...}` if it fails after that; one that takes a stream takes one\n\
         document after another in its body, which may come while answers go. Failures are the status that stands\n\
         for gRPC's code and `{\"code\", \"message\"}`.\n\n\
         Names, passwords and tokens are those of the gRPC port, in `Authorization` or `Grpc-Metadata-Token`; `Grpc-Timeout` says how long\n\
         the client waits. A page that a browser got from another server is refused. A message may have `http.body_limit` bytes as\n\
         JSON, and 2 MiB as protobuf. [COMPATIBILITY.md](../../COMPATIBILITY.md) says what differs from etcd.\n\n\
         ```console\n\
         $ curl -s http://127.0.0.1:9200/v3/kv/put -d '{\"key\": \"Zm9v\", \"value\": \"YmFy\"}'\n\
         $ curl -s http://127.0.0.1:9200/v3/kv/range -d '{\"key\": \"Zm9v\"}'\n\
         $ curl -sN http://127.0.0.1:9200/v3/watch -d '{\"create_request\": {\"key\": \"Zm9v\"}}'\n\
         ```\n\n\
         | path | method |\n|---|---|\n",
    );
    for (below, method) in PATHS {
        let _ = writeln!(page, "| `{PREFIX}{below}` | `{}` |", method.trim_start_matches('/'));
    }
    page
}
