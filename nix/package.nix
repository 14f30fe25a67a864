# The program, and what its checks share with it. The dependencies are built once per profile; only a change of
# Cargo.toml, Cargo.lock or the compiler builds them anew.
{ pkgs, craneLib }:
let
  inherit (pkgs) lib;
  root = ../.;

  # Only what the build reads: an edit of a text or of compose.yaml rebuilds nothing. src holds what is embedded too:
  # prompts, scripts, bars. Cargo wants the benches that Cargo.toml names.
  sourceOf = extra: lib.fileset.toSource {
    inherit root;
    fileset = lib.fileset.unions ([
      ../Cargo.toml
      ../Cargo.lock
      ../src
      ../benches/all/main.rs
      ../benches/instructions/Cargo.toml
      ../benches/instructions/main.rs
    ] ++ extra);
  };

  manifest = (lib.importTOML ../Cargo.toml).package;

  common = {
    inherit (manifest) version;
    pname = manifest.name;
    src = sourceOf [ ];
    strictDeps = true;
  };

  distribution = common // { CARGO_PROFILE = "dist"; };

  # For checks: the quick profile, and the files that they read beside the source. tests holds snapshots of documents too.
  development = common // {
    # Fuzzers share their code with tests.
    src = sourceOf [ ../benches/all ../benches/instructions ../tests ../fuzz/src ../rustfmt.toml ../clippy.toml ];
    CARGO_PROFILE = "dev";
  };
in
{
  inherit craneLib manifest;

  binary = craneLib.buildPackage (distribution // {
    # Without `cargo check`, which only the checks' profile needs, and tests, which only it runs.
    cargoArtifacts = craneLib.buildDepsOnly (distribution // { cargoCheckCommand = "true"; doCheck = false; });
    # The checks are a derivation of their own, so that an image does not wait for them.
    doCheck = false;
    # What only a shell and man read has an output of its own, which the images leave out.
    outputs = [ "out" "extras" ];
    outputMan = "extras";
    postInstall = ''
      $out/bin/tradingagents man $extras/share/man/man1
      for kind in bash fish zsh; do $out/bin/tradingagents completions $kind > $TMPDIR/$kind; done
      install -D -m 644 $TMPDIR/bash $extras/share/bash-completion/completions/tradingagents
      install -D -m 644 $TMPDIR/fish $extras/share/fish/vendor_completions.d/tradingagents.fish
      install -D -m 644 $TMPDIR/zsh $extras/share/zsh/site-functions/_tradingagents
    '';
    meta = {
      inherit (manifest) description;
      license = lib.licenses.asl20;
      mainProgram = manifest.name;
      outputsToInstall = [ "out" "extras" ];
    };
  });

  development = development // { cargoArtifacts = craneLib.buildDepsOnly development; };

  # The tests also compare the program with documents and with the stack's files.
  testedSource = sourceOf [
    ../benches/all
    ../tests
    ../fuzz/src
    ../fuzz/seeds
    ../docs/API.md
    ../docs/CONFIGURATION.md
    ../docs/OPERATIONS.md
    ../docs/RULES.md
    ../.env.example
    ../compose.yaml
    ../compose.dev.yaml
  ];
}
