//! Chart references: which of them mean a folder of the landscape, and what else they could mean.

use super::Chart;
use crate::diagnostic::{Diagnostic, Span, nearest};
use crate::source::Tree;

/// The folder of the landscape that `reference` names, without `./` and slashes at the end.
///
/// A reference with a scheme, and a `repo/name` that is no folder of the landscape, mean a remote chart. What
/// begins with `./`, `../`, `/`, `charts/` or the name of a folder of the landscape was meant as a path.
pub(super) fn in_landscape(tree: &Tree, reference: &str, span: Span) -> Result<String, Diagnostic> {
    if let Some((scheme, _)) = reference.split_once("://") {
        return Err(remote(reference, &format!("a chart from `{scheme}://`"), span));
    }
    let path = reference.trim_start_matches("./").trim_end_matches('/');
    if tree.is_directory(path) {
        return if tree.is_file(&format!("{path}/Chart.yaml")) {
            Ok(path.to_owned())
        } else {
            Err(Diagnostic::error(
                "missing-chart",
                format!("the folder `{path}` is not a chart: it has no `Chart.yaml`"),
            )
            .at(span, "")
            .help("add a `Chart.yaml` with `name` and `version`, or use `manifests:` for plain objects"))
        };
    }
    let first = path.split('/').next().unwrap_or_default();
    let meant_as_path = reference.starts_with(['.', '/']) || first == "charts" || tree.is_directory(first);
    let is_repository_chart = path.split('/').count() == 2;
    if is_repository_chart && !meant_as_path {
        return Err(remote(reference, "a chart from a repository", span));
    }
    let missing =
        Diagnostic::error("missing-chart", format!("there is no chart `{reference}` in the landscape"))
            .at(span, "");
    Err(match suggestion(tree, path) {
        Some(near) => missing.help(format!("did you mean `{near}`?")),
        None => missing.help("a chart in the landscape is a folder with a `Chart.yaml`, named by its path from the landscape's root"),
    })
}

fn remote(reference: &str, what: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        "remote-chart",
        format!("`{reference}` is {what}, and remote charts are not supported by this version"),
    )
    .at(span, "")
    .help("copy the chart into the landscape, for example to `charts/`, and name its path")
}

/// A folder with a similar path: a sibling of what was asked for, or one of `charts/` with a similar name.
fn suggestion(tree: &Tree, path: &str) -> Option<String> {
    let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
    [parent, "charts"].into_iter().filter(|folder| tree.is_directory(folder)).find_map(|folder| {
        let items = tree.list(folder).ok()?;
        let near = nearest(name, items.iter().map(|item| item.name.as_str()))?;
        let near = if folder.is_empty() { near.to_owned() } else { format!("{folder}/{near}") };
        tree.is_file(&format!("{near}/Chart.yaml")).then_some(near)
    })
}

/// A chart in the landscape has one version; one that is asked for must be that one, or a constraint that
/// admits it.
pub(super) fn agree(asked: &str, chart: &Chart, span: Span) -> Result<(), Diagnostic> {
    let exact = asked == chart.version;
    let admitted = || {
        let constraint = semver::VersionReq::parse(asked).ok()?;
        // A bare version is exact for us, while Cargo's syntax would take it as `^`.
        let is_bare = semver::Version::parse(asked).is_ok();
        let version = semver::Version::parse(&chart.version).ok()?;
        Some(!is_bare && constraint.matches(&version))
    };
    if exact || admitted() == Some(true) {
        return Ok(());
    }
    Err(Diagnostic::error(
        "version-mismatch",
        format!("version `{asked}` is asked for, but the chart in the landscape has version `{}`", chart.version),
    )
    .at(span, "asked for here")
    .also(chart.span, "its version stands here")
    .help("a chart in the landscape has the version of its `Chart.yaml`: drop `release.version`, or make the two equal"))
}
