//! Numbered pages, as the seed's device list wants them, and pages that begin after an item.

/// Which page: `page` counts from 1, `limit` is 1 to 200.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageQuery {
    page: u32,
    limit: u32,
}

impl PageQuery {
    /// Most items on one page.
    pub const MAX_LIMIT: u32 = 200;

    /// Brings both numbers into range; a page below 1 is 1, a limit above the maximum is the maximum.
    pub fn new(page: u32, limit: u32) -> Self {
        Self {
            page: page.max(1),
            limit: limit.clamp(1, Self::MAX_LIMIT),
        }
    }

    /// Page number, from 1.
    pub fn page(self) -> u32 {
        self.page
    }

    /// Items on a page.
    pub fn limit(self) -> u32 {
        self.limit
    }

    /// Items before this page.
    pub fn offset(self) -> u64 {
        u64::from(self.page - 1) * u64::from(self.limit)
    }
}

/// One page of a list and how long the whole list is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// Items of this page.
    pub items: Vec<T>,
    /// Items in the whole list.
    pub total: u64,
}

/// Which part of a list that is read from one item to the next: what comes after `after`, at most `limit`
/// items, 1 to 200.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CursorQuery<C> {
    /// The last item of the page before; `None` for the first page.
    pub after: Option<C>,
    limit: u32,
}

impl<C> CursorQuery<C> {
    /// Most items on one page.
    pub const MAX_LIMIT: u32 = 200;

    /// Brings the limit into range.
    pub fn new(after: Option<C>, limit: u32) -> Self {
        Self {
            after,
            limit: limit.clamp(1, Self::MAX_LIMIT),
        }
    }

    /// Items on a page.
    pub fn limit(&self) -> u32 {
        self.limit
    }
}

/// One page of a list that is read from item to item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CursorPage<T, C> {
    /// Items of this page.
    pub items: Vec<T>,
    /// Where the next page begins; `None` when this one is the last for now.
    pub next: Option<C>,
}
