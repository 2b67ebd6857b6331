use super::*;

impl Fixture {
    /// Another connection to the same engine, in the place of the present one, which is given back.
    fn change_connection(&mut self, other: Session) -> Session {
        std::mem::replace(&mut self.session, other)
    }
}

#[test]
fn requests_are_refused_in_the_words_of_redis() {
    let mut it = Fixture::new(&[]);
    it.check("acl setuser ann on >pw ~a* +get +set +multi +exec +acl|whoami", "+OK");
    assert!(matches!(it.outcome, Outcome::Done { hold: Hold::Durable(1..), close: false }));
    it.check("auth ann wrong", "-WRONGPASS invalid username-password pair or user is disabled.");
    it.check("auth ann pw", "+OK");
    it.check("acl whoami", "ann");
    it.check("set a1 x", "+OK");
    it.check("get b", "-NOPERM No permissions to access a key");
    it.check("del a1", "-NOPERM User ann has no permissions to run the 'del' command");
    it.check("config get x", "-NOPERM User ann has no permissions to run the 'config|get' command");
    it.check(
        "hello 3 auth default x",
        "%7 server redis version 7.2.5 proto :3 id :1 mode standalone role master modules *0",
    );
    it.check("acl whoami", "default");
}

#[test]
fn a_transaction_is_checked_when_it_is_queued_and_when_it_runs() {
    let mut it = Fixture::new(&[]);
    it.check("acl setuser ann on nopass ~* +@all", "+OK");
    let admin = Fixture::connect(&it.engine);
    it.check("auth ann x", "+OK");
    it.check("multi", "+OK");
    it.check("set a 1", "+QUEUED");
    it.check("get a", "+QUEUED");
    let ann = it.change_connection(admin);
    it.check("acl setuser ann -set", "+OK");
    let admin = it.change_connection(ann);
    it.check("set b 1", "-NOPERM User ann has no permissions to run the 'set' command");
    it.check("exec", "-EXECABORT Transaction discarded because of previous errors.");
    let ann = it.change_connection(admin);
    it.check("acl setuser ann +set", "+OK");
    let admin = it.change_connection(ann);
    it.check("multi", "+OK");
    it.check("set a 1", "+QUEUED");
    it.check("get a", "+QUEUED");
    let ann = it.change_connection(admin);
    it.check("acl setuser ann resetkeys ~b", "+OK");
    let admin = it.change_connection(ann);
    let lost = "-NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This \
                command is no longer allowed for the following reason: no permission to touch the specified keys";
    it.check("exec", &format!("*2 {lost} {lost}"));
    it.change_connection(admin);
    it.check("exists a", ":0");
    let log = it.ask("acl log 1");
    assert!(log.starts_with("*1 %10 count :2 reason key context multi object a username ann age-seconds ,"), "{log:?}");
}

#[test]
fn a_deleted_user_is_out_at_once() {
    let mut it = Fixture::new(&[]);
    it.check("acl setuser ann on nopass allkeys allcommands allchannels", "+OK");
    let admin = Fixture::connect(&it.engine);
    it.check("auth ann x", "+OK");
    it.check("ping", "+PONG");
    let ann = it.change_connection(admin);
    it.check("acl deluser ann nobody", ":1");
    it.check("acl setuser ann on nopass +@all", "+OK");
    assert!(ann.client().is_killed());
    let admin = it.change_connection(ann);
    it.check("ping", "-NOAUTH Authentication required.");
    assert_eq!(it.outcome, Outcome::Done { hold: Hold::None, close: true });
    let _gone = it.change_connection(admin);
    it.check("auth ann x", "+OK");
    it.check("acl deluser ann", ":1");
    assert!(matches!(it.outcome, Outcome::Done { close: true, .. }), "{:?}", it.outcome);
}

#[test]
fn the_default_user_may_be_restricted() {
    let mut it = Fixture::new(&[]);
    it.check("acl setuser admin on >pw ~* +@all", "+OK");
    it.check("acl setuser default -@all +ping +reset", "+OK");
    it.check("ping", "+PONG");
    it.check("get a", "-NOPERM User default has no permissions to run the 'get' command");
    it.check("auth admin pw", "+OK");
    it.check("acl setuser default off", "+OK");
    it.check("reset", "+RESET");
    it.check("ping", "-NOAUTH Authentication required.");
    it.check("auth x", "-ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?");
}

#[test]
fn requirepass_and_the_default_user_are_in_step() {
    let mut it = Fixture::new(&[]);
    it.check("config set requirepass one", "+OK");
    assert!(matches!(it.outcome, Outcome::Done { hold: Hold::Durable(1..), .. }));
    it.check("acl setuser default >two", "+OK");
    it.check("config get requirepass", "%1 requirepass one");
    it.check("reset", "+RESET");
    it.check("ping", "-NOAUTH Authentication required.");
    it.check("auth two", "+OK");
    it.check("acl setuser default <one", "+OK");
    it.check("config get requirepass", "%1 requirepass ");
    it.check("auth one", "-WRONGPASS invalid username-password pair or user is disabled.");
    it.check("config set requirepass three", "+OK");
    it.check("auth two", "-WRONGPASS invalid username-password pair or user is disabled.");
    it.check("config set requirepass ", "+OK");
    let fresh = Fixture::connect(&it.engine);
    it.change_connection(fresh);
    it.check("ping", "+PONG");
}

#[test]
fn passwords_stay_out_of_the_slow_log() {
    let mut it = Fixture::new(&[("slowlog.slower_than_us", "0")]);
    for request in [
        "acl setuser ann on >hidden1",
        "auth ann hidden1",
        "auth default hidden2",
        "hello 2 auth default hidden3 setname me",
        "config set slowlog-max-len 64 requirepass hidden4",
        "auth hidden4",
        "migrate 127.0.0.1 1 nokey 0 1 auth2 hidden5 hidden6 keys a",
    ] {
        it.ask(request);
    }
    let log = it.ask("slowlog get 100");
    assert!(!log.contains("hidden"), "{log}");
    assert!(log.contains("acl setuser (redacted) (redacted) (redacted)"), "{log}");
    assert!(log.contains("hello 2 auth (redacted) (redacted) setname me"), "{log}");
    assert!(log.contains("slowlog-max-len 64 requirepass (redacted)"), "{log}");
}

#[test]
fn denials_are_logged_and_counted() {
    let mut it = Fixture::new(&[("acl.log_max_len", "2")]);
    it.ask("auth nobody x");
    it.check("acl setuser ann on nopass +acl +info ~a +get", "+OK");
    it.check("auth ann x", "+OK");
    it.ask("get b");
    it.ask("set a 1");
    let log = it.ask("acl log");
    assert!(log.starts_with("*2 %10 count :1 reason command context toplevel object set username ann"), "{log}");
    assert!(log.contains("reason key context toplevel object b username ann"), "{log}");
    assert!(log.contains("user=ann"), "{log}");
    it.check("acl log reset", "+OK");
    it.check("acl log", "*0");
    let stats = it.ask("info stats");
    assert!(
        stats.contains("acl_access_denied_auth:1\r\nacl_access_denied_cmd:1\r\nacl_access_denied_key:1"),
        "{stats}"
    );
}

#[test]
fn clients_of_a_user_are_killed_by_its_name() {
    let mut it = Fixture::new(&[]);
    it.check("acl setuser ann on nopass", "+OK");
    let mut other = Fixture::connect(&it.engine);
    other.become_user(&it.engine.users().find(b"ann").unwrap());
    it.check("client kill user nobody", "-ERR No such user 'nobody'");
    it.check("client kill user ann", ":1");
    assert!(other.client().is_killed());
    it.check("client kill user default", ":0");
}
