//! Tables of Markdown: one that is wider than the page can be scrolled, by keyboard too; and columns of figures are aligned
//! by a class of this program's, for a style of a cell's own would be refused by the content policy.

use pulldown_cmark::{Alignment, Event, Tag, TagEnd};

use super::markdown::own;

/// Where in a table the events are.
#[derive(Debug, Default)]
pub struct Tables {
    alignments: Vec<Alignment>,
    column: usize,
    in_head: bool,
}

impl Tables {
    /// What is written for an event.
    pub fn write<'a>(&mut self, event: Event<'a>) -> Vec<Event<'a>> {
        match event {
            Event::Start(Tag::Table(alignments)) => {
                let plain = vec![Alignment::None; alignments.len()];
                self.alignments = alignments;
                let scrolled = own("<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Table\">");
                vec![scrolled, Event::Start(Tag::Table(plain))]
            }
            Event::End(TagEnd::Table) => vec![event, own("</div>\n")],
            Event::Start(Tag::TableHead | Tag::TableRow) => {
                self.in_head = matches!(event, Event::Start(Tag::TableHead));
                self.column = 0;
                vec![event]
            }
            Event::Start(Tag::TableCell) => {
                let alignment = self.alignments.get(self.column).copied().unwrap_or(Alignment::None);
                self.column += 1;
                vec![if alignment == Alignment::Right { own(self.right_cell()) } else { event }]
            }
            event => vec![event],
        }
    }

    /// The beginning of a cell of figures; its end is everyone's.
    fn right_cell(&self) -> &'static str {
        if self.in_head { "<th class=\"right\">" } else { "<td class=\"right\">" }
    }
}
