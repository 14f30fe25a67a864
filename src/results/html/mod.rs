//! What agents said, as HTML: for the pages of the API, and for a report that stands by itself.

mod costs;
mod evidence;
mod levels;
mod markdown;
mod parts;
mod report;
mod tables;

pub use costs::costs;
pub use evidence::evidence;
pub use levels::chart;
pub use markdown::markdown;
pub use parts::{parts, parts_so_far};
pub use report::{STYLE_HASH, report};
