//! The plan in the languages of other tools, for those who change accounts only through them.

pub mod quote;
