# `nix run`: the stack's helpers. Docker is the host's own, for it has to fit the host's engine.
{ pkgs, package, images }:
let
  inherit (pkgs) lib;

  app = { name, description, tools ? [ ], variables ? "" }: {
    type = "app";
    program = toString (pkgs.writeScript name ''
      #!${pkgs.runtimeShell}
      PATH=$PATH:${lib.makeBinPath ([ pkgs.coreutils pkgs.gnugrep ] ++ tools)}
      command=${name}
      ${variables}
      ${builtins.readFile ./apps/common.sh}
      ${builtins.readFile (./apps + "/${name}.sh")}
    '');
    meta = { inherit description; };
  };

  # Only in helpers that start containers: whoever names the images has them built.
  theImages = ''
    IMAGES=${images.image}
    PROGRAM=${lib.getExe package.binary}
  '';
in
{
  default = {
    type = "app";
    program = lib.getExe package.binary;
    meta.description = "The program itself";
  };
  up = app {
    name = "up";
    description = "Start the stack and wait until it is well";
    variables = theImages;
  };
  down = app {
    name = "down";
    description = "Stop the stack";
  };
  logs = app {
    name = "logs";
    description = "Follow the logs";
  };
  dev = app {
    name = "dev";
    description = "Run the stack on the debug build, built anew on every change";
    tools = [ pkgs.watchexec pkgs.cargo pkgs.rustc pkgs.stdenv.cc ];
    variables = theImages;
  };
}
