//! The boundary of Ennead: sessions, users, limits, settings and figures. Listeners above it know no model and no
//! store; models below it know no session.

pub mod settings;
