//! A bare RESP server for profiles and tests: `serve ADDRESS DIRECTORY [SETTING=VALUE...]`. The daemon `ennead` is the real one.

use std::error::Error;
use std::future::pending;
use std::sync::Arc;

use ennead_engine::{Engine, Settings, Store, StoreOptions};
use ennead_resp::{Listener, Options, serve};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(address), Some(directory)) = (arguments.next(), arguments.next()) else {
        return Err("usage: serve ADDRESS DIRECTORY [SETTING=VALUE...]".into());
    };
    let settings = Settings::new();
    settings.preset("server.data", &directory)?;
    settings.preset("server.debug_command", "yes")?;
    for argument in arguments {
        let (name, value) = argument.split_once('=').ok_or("a setting is given as NAME=VALUE")?;
        settings.preset(name, value)?;
    }
    let store = Store::open(StoreOptions::new(directory))?;
    let engine = Engine::open(store, Arc::new(settings))?;
    let listener = Listener::bind(address.parse()?, 511, None)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let options = Options::new(&engine);
    runtime.block_on(serve(vec![listener], engine, options, pending()))?;
    Ok(())
}
