//! Pages of lists that are read from item to item.

use wagate_domain::model::CursorPage;

/// Cuts a list that was read with one item more than asked for: that one says that there is a next page.
pub(crate) fn page<T, C>(mut items: Vec<T>, limit: u32, id: impl Fn(&T) -> C) -> CursorPage<T, C> {
    let more = items.len() > limit as usize;
    items.truncate(limit as usize);
    CursorPage {
        next: items.last().filter(|_| more).map(id),
        items,
    }
}
