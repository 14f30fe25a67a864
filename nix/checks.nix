# `nix flake check`: lints, format, tests with a real Redis, documentation, and what is in the images.
{ pkgs, package, images }:
let
  inherit (package) craneLib development;

  contents = pkgs.runCommand "image-contents" { nativeBuildInputs = [ pkgs.python3 ]; } ''
    python3 ${./image-contents.py} ${package.manifest.version} ${images.api-image} ${images.worker-image}
    touch $out
  '';
in
{
  inherit contents;
  inherit (package) binary;
  clippy = craneLib.cargoClippy (development // { cargoClippyExtraArgs = "--all-targets -- -D warnings"; });
  format = craneLib.cargoFmt { inherit (development) pname version src; };
  documentation = craneLib.cargoDoc (development // {
    cargoDocExtraArgs = "--no-deps";
    RUSTDOCFLAGS = "-D warnings";
  });
  tests = craneLib.cargoNextest (development // {
    src = package.testedSource;
    nativeBuildInputs = [ pkgs.redis ];
    # A document that differs from its snapshot fails, and nothing is written.
    INSTA_UPDATE = "no";
  });
}
