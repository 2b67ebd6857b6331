//! Tells clients what happens to keys: by messages to the channels of keyspace events, and to those who cache what they
//! read. Called under the locks of the keys, so what one key's subscribers hear is in the order in which it happened.

use std::sync::Arc;

use ennead_kv::{Effect, Notice, Notices, Witness};

use crate::pubsub::PubSub;
use crate::session::Hold;
use crate::settings::{DURABILITY, KEYSPACE_EVENTS, Settings};
use crate::tracking::Tracking;

pub(crate) struct Herald {
    settings: Arc<Settings>,
    pubsub: Arc<PubSub>,
    tracking: Arc<Tracking>,
}

impl Herald {
    pub(crate) fn new(settings: &Arc<Settings>, pubsub: &Arc<PubSub>, tracking: &Arc<Tracking>) -> Herald {
        Herald { settings: Arc::clone(settings), pubsub: Arc::clone(pubsub), tracking: Arc::clone(tracking) }
    }
}

impl Witness for Herald {
    fn witness(&self, notices: &Notices, effect: Effect) {
        let hold = Hold::of(effect, self.settings.read(DURABILITY));
        let classes = self.settings.read(KEYSPACE_EVENTS);
        for notice in notices.iter() {
            let Notice::Event { name, db, key } = notice else { continue };
            if classes.to_keyspace() {
                let channel = [b"__keyspace@", db.to_string().as_bytes(), b"__:", key].concat();
                self.pubsub.publish(&channel, name.as_bytes(), hold);
            }
            if classes.to_keyevent() {
                let channel = format!("__keyevent@{db}__:{name}");
                self.pubsub.publish(channel.as_bytes(), key, hold);
            }
        }
        self.tracking.tell(notices, hold);
    }
}
