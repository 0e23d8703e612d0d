//! One sheet of a workbook: a header that stays in view, filters, and rows of cells.

use std::borrow::Cow;

use jiff::Timestamp;
use rust_xlsxwriter::{Color, Format, FormatAlign, Url, Workbook, Worksheet, XlsxError};
use trailproof_core::finding::Status;

use super::date;
use crate::untrusted::{shortened, visible_lines};

/// The most rows that a sheet has (Microsoft, "Excel specifications and limits").
const ROWS: u32 = 1_048_576;
/// The most characters that a cell has; there. They are counted in UTF-16, of which a character
/// takes two at most.
const CHARACTERS: usize = 32_767 / 2;
/// The most links that a sheet has; there, with some to spare.
const LINKS: usize = 60_000;

/// What stands in a cell.
pub(super) enum Cell<'a> {
    /// Never a formula, nor a number: account ids keep their zeros, and 5.10 its last digit.
    Text(Cow<'a, str>),
    /// In its color.
    Status(Status),
    /// In UTC.
    Time(Timestamp),
    /// A count.
    Number(usize),
    /// An address, and the text that is shown.
    Link(String, Cow<'a, str>),
}

/// How cells look.
pub(super) struct Styles {
    header: Format,
    time: Format,
    statuses: [(Status, Format); Status::ALL.len()],
}

impl Styles {
    pub(super) fn new() -> Self {
        let status = |status| {
            // Dark on light, so that it is readable in print and for whoever sees no colors.
            let (font, fill) = match status {
                Status::Fail => (0x009C_0006, 0x00FF_C7CE),
                Status::Unknown => (0x007F_4700, 0x00FF_EB9C),
                Status::Pass => (0x0000_6100, 0x00C6_EFCE),
                Status::Attested => (0x001F_3864, 0x00D9_E2F3),
                Status::Muted => (0x0033_3333, 0x00E0_E0E0),
                Status::NotApplicable => (0x0059_5959, 0x00F5_F5F5),
            };
            let format = Format::new()
                .set_font_color(Color::RGB(font))
                .set_background_color(Color::RGB(fill));
            (status, format)
        };
        Self {
            header: Format::new()
                .set_bold()
                .set_align(FormatAlign::Top)
                .set_background_color(Color::RGB(0x00D9_D9D9)),
            time: Format::new().set_num_format("yyyy-mm-dd hh:mm:ss"),
            statuses: Status::ALL.map(status),
        }
    }

    fn of(&self, status: Status) -> Option<&Format> {
        let mut statuses = self.statuses.iter();
        statuses
            .find(|(known, _)| *known == status)
            .map(|(_, format)| format)
    }
}

/// A sheet that is being written.
pub(super) struct Sheet<'w> {
    inner: &'w mut Worksheet,
    styles: &'w Styles,
    columns: u16,
    /// The next row.
    next: u32,
    links: usize,
    /// How many rows found no room.
    left_out: usize,
}

impl<'w> Sheet<'w> {
    /// A sheet with columns of a name and a width.
    pub(super) fn begin(
        workbook: &'w mut Workbook,
        name: &str,
        columns: &[(&str, f64)],
        styles: &'w Styles,
    ) -> Result<Self, XlsxError> {
        let sheet = workbook.add_worksheet();
        sheet.set_name(name)?;
        let mut count = 0;
        for (title, width) in columns {
            sheet.set_column_width(count, *width)?;
            sheet.write_string_with_format(0, count, shown(title), &styles.header)?;
            count += 1;
        }
        sheet
            .set_freeze_panes(1, 0)?
            .set_repeat_rows(0, 0)?
            .set_landscape()
            .set_print_fit_to_pages(1, 0);
        Ok(Self {
            inner: sheet,
            styles,
            columns: count,
            next: 1,
            links: 0,
            left_out: 0,
        })
    }

    /// Writes a row. The last one of a sheet is kept for how many there was no room for.
    pub(super) fn row(&mut self, cells: Vec<Cell<'_>>) -> Result<(), XlsxError> {
        if self.next + 1 >= ROWS {
            self.left_out += 1;
            return Ok(());
        }
        for (column, cell) in (0..self.columns).zip(cells) {
            self.cell(column, cell)?;
        }
        self.next += 1;
        Ok(())
    }

    fn cell(&mut self, column: u16, cell: Cell<'_>) -> Result<(), XlsxError> {
        let (sheet, row) = (&mut *self.inner, self.next);
        match cell {
            Cell::Text(text) if text.is_empty() => {}
            Cell::Link(address, text) if self.links < LINKS => {
                self.links += 1;
                sheet.write_url_with_text(row, column, Url::new(address), shown(&text))?;
            }
            Cell::Text(text) | Cell::Link(_, text) => {
                sheet.write_string(row, column, shown(&text))?;
            }
            Cell::Status(status) => {
                if let Some(format) = self.styles.of(status) {
                    sheet.write_string_with_format(row, column, status.as_str(), format)?;
                }
            }
            Cell::Time(time) => match date(time) {
                Ok(date) => {
                    sheet.write_datetime_with_format(row, column, &date, &self.styles.time)?;
                }
                // A year that workbooks do not know.
                Err(_) => {
                    sheet.write_string(row, column, time.to_string())?;
                }
            },
            Cell::Number(number) => {
                // Counts are far below what a number of a workbook holds exactly.
                let number = u32::try_from(number).unwrap_or(u32::MAX);
                sheet.write_number(row, column, number)?;
            }
        }
        Ok(())
    }

    /// Has only the first columns printed, up to this one: a page has no room for all.
    pub(super) fn print_to(
        &mut self,
        title: &str,
        columns: &[(&str, f64)],
    ) -> Result<(), XlsxError> {
        let last = columns.iter().position(|(name, _)| *name == title);
        let last = last.and_then(|last| u16::try_from(last).ok());
        if let Some(last) = last {
            self.inner.set_print_area(0, 0, self.next - 1, last)?;
        }
        Ok(())
    }

    /// Ends the sheet: filters over all of its rows.
    pub(super) fn end(self) -> Result<(), XlsxError> {
        let last_column = self.columns.saturating_sub(1);
        self.inner.autofilter(0, 0, self.next - 1, last_column)?;
        if self.left_out > 0 {
            let note = format!("{} further rows do not fit", self.left_out);
            self.inner.write_string(self.next, 0, note)?;
        }
        Ok(())
    }
}

/// A text as it is shown: what steers or hides is made visible, and what a cell cannot hold is cut.
fn shown(text: &str) -> String {
    shortened(&visible_lines(text), CHARACTERS)
}
