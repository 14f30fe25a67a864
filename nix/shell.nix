# `nix develop`: the toolchain, and everything that the tests need.
{ pkgs, package, ... }:
{
  default = package.craneLib.devShell {
    packages = [
      pkgs.cargo-nextest
      pkgs.libfaketime
      pkgs.python3
      pkgs.redis
      pkgs.rust-analyzer
      pkgs.watchexec
    ];
  };
}
