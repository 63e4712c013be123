//! Stories of the worker, on a clock that only the test moves.

mod delivery;
mod flow;
mod story;
mod trouble;
