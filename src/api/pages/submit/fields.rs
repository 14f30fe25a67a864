//! The fields of the form. Each says by its name where in the body of the request its value goes.

use maud::{Markup, html};

/// A field, and the place where is told what is wrong with it.
pub fn field(name: &str, label: &str, input: &Markup) -> Markup {
    html! {
        div.field {
            label for={ "f-" (name) } { (label) }
            (input)
            p.wrong id={ "e-" (name) } {}
        }
    }
}

/// A text of the job's settings, with a list of texts to choose from if `list` names one.
pub fn text(name: &str, label: &str, placeholder: &str, list: Option<&str>) -> Markup {
    field(
        name,
        label,
        &html! {
            input id={ "f-" (name) } name={ "config." (name) } placeholder=(placeholder) maxlength="128" autocomplete="off" spellcheck="false"
                list=[list] aria-describedby={ "e-" (name) };
        },
    )
}

/// A choice of the job's settings.
pub fn choice(name: &str, label: &str, usual: &str, options: &[&str]) -> Markup {
    field(
        name,
        label,
        &html! {
            select id={ "f-" (name) } name={ "config." (name) } aria-describedby={ "e-" (name) } {
                option value="" { (usual) }
                @for option in options { option { (option) } }
            }
        },
    )
}

/// A number of the job's settings, from 1.
pub fn count(name: &str, label: &str, most: &str, usual: u32) -> Markup {
    field(
        name,
        label,
        &html! {
            input id={ "f-" (name) } name={ "config." (name) } type="number" min="1" max=(most) placeholder=(usual) data-as="number"
                aria-describedby={ "e-" (name) };
        },
    )
}
