# `nix run`: the stack's helpers. Docker is the host's own, for it has to fit the host's engine.
{ pkgs, package, images }:
let
  inherit (pkgs) lib;

  app = name: description: {
    type = "app";
    program = toString (pkgs.writeScript name ''
      #!${pkgs.runtimeShell}
      PATH=$PATH:${lib.makeBinPath [ pkgs.coreutils pkgs.gnugrep pkgs.watchexec ]}
      command=${name}
      IMAGES=${images.image}
      ${builtins.readFile ./apps/common.sh}
      ${builtins.readFile (./apps + "/${name}.sh")}
    '');
    meta = { inherit description; };
  };
in
{
  default = {
    type = "app";
    program = lib.getExe package.binary;
    meta.description = "The program itself";
  };
  up = app "up" "Start the stack and wait until it is well";
  down = app "down" "Stop the stack";
  logs = app "logs" "Follow the logs";
  dev = app "dev" "Run the stack on the debug build, built anew on every change";
}
