//! The HELP subcommands, derived from the table.

use ennead_kv::Result;

use crate::registry::Registry;
use crate::session::{Output, Request, Session};

pub(super) fn help(_session: &mut Session, request: &Request<'_>, reply: &mut dyn Output) -> Result {
    let commands = Registry::get().commands();
    let container = &commands[request.command.parent.unwrap_or(request.command.index)];
    reply.array(1 + 2 * container.children.len());
    let name = container.spec.name.to_uppercase();
    reply.simple(&format!("{name} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"));
    for child in &container.children {
        let child = &commands[*child];
        let line = format!("{} {}", child.own_name().to_uppercase(), child.spec.syntax);
        reply.simple(line.trim_end());
        reply.simple(&format!("    {}", child.spec.summary));
    }
    Ok(())
}
