mod concurrency;
mod contract;
mod faults;
mod model;
mod power;
mod quorum;
mod rollback;
mod world;
