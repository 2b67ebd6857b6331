use super::*;

fn settings(pairs: &[(&str, &str)]) -> Settings {
    let settings = Settings::new();
    for (name, value) in [("listen.resp", "127.0.0.1:0"), ("listen.http", "off"), ("listen.grpc", "off")] {
        settings.preset(name, value).unwrap();
    }
    for (name, value) in pairs {
        settings.preset(name, value).unwrap();
    }
    settings
}

#[test]
fn other_machines_need_a_password_or_tls_or_consent() {
    let open = ("listen.resp", "0.0.0.0:0");
    assert!(plan(&settings(&[open])).err().unwrap().contains("can be reached by other machines"));
    assert!(plan(&settings(&[("listen.http", "[::]:0")])).is_err());
    for consent in [("server.password", "x"), ("tls.certificate_file", "x"), ("server.insecure", "true")] {
        assert_eq!(plan(&settings(&[open, consent])).unwrap().len(), 1, "{consent:?}");
    }
    assert_eq!(plan(&settings(&[("listen.resp", "localhost:0"), ("listen.http", "[::1]:0")])).unwrap().len(), 2);
}

#[test]
fn something_must_listen() {
    assert!(plan(&settings(&[("listen.resp", "off")])).err().unwrap().contains("all listeners are off"));
}

#[test]
fn the_port_that_was_picked_is_noted() {
    let settings = settings(&[]);
    let bound = bind(&plan(&settings).unwrap(), &settings).unwrap();
    assert_ne!(bound[0].address.port(), 0);
    assert_eq!(settings.get("listen.resp").unwrap(), bound[0].address.to_string());
    assert_eq!(settings.redis_get(|name| name == "port")[0].1, bound[0].address.port().to_string());
}

#[test]
fn a_port_in_use_is_said_with_what_to_do() {
    let first = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = first.local_addr().unwrap().to_string();
    let settings = settings(&[("listen.resp", &address)]);
    let error = bind(&plan(&settings).unwrap(), &settings).err().unwrap();
    assert!(error.contains(&address) && error.contains("in use") && error.contains("--resp"), "{error}");
    assert!(!error.contains('\n'));
}
