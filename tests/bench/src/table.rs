//! Tables as text.

use std::fmt::Write as _;

/// Lays rows out under their headings: the first column to the left, all others to the right.
pub(crate) fn table(headings: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain([headings[column].chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..headings.len()).map(width).collect();
    let mut text = String::new();
    let mut line = |cells: Vec<&str>| {
        for (column, (cell, width)) in cells.iter().zip(&widths).enumerate() {
            let gap = if column == 0 { "  " } else { "   " };
            let written =
                if column == 0 { write!(text, "{gap}{cell:<width$}") } else { write!(text, "{gap}{cell:>width$}") };
            written.expect("writing to a string cannot fail");
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    };
    line(headings.to_vec());
    rows.iter().for_each(|row| line(row.iter().map(String::as_str).collect()));
    text
}

/// A rate or another number of any size, with as many digits as mean something.
pub(crate) fn number(value: f64) -> String {
    match value.abs() {
        tiny if tiny < 1.0 => format!("{value:.3}"),
        small if small < 10.0 => format!("{value:.2}"),
        medium if medium < 100.0 => format!("{value:.1}"),
        _ => grouped(&format!("{value:.0}")),
    }
}

/// Groups of three digits.
fn grouped(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    let mut text = String::from(sign);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let rows = [vec!["sign-in".to_owned(), "1".to_owned()], vec!["x".to_owned(), "12,345".to_owned()]];
        assert_eq!(table(&["what", "/s"], &rows), "  what          /s\n  sign-in        1\n  x         12,345\n");
    }

    #[test]
    fn numbers_keep_what_means_something() {
        let shown = [0.1234, 9.5, 56.78, 123.4, 1234.5, 1_234_567.0, -1500.0].map(number);
        assert_eq!(shown, ["0.123", "9.50", "56.8", "123", "1,234", "1,234,567", "-1,500"]);
    }
}
