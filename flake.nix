{
  description = "A job service that runs a team of LLM trading agents over market data";

  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";
    crane.url = "github:ipetkov/crane/v0.23.4";
  };

  outputs =
    { self, nixpkgs, crane }:
    let
      forEachSystem =
        pick:
        nixpkgs.lib.genAttrs [ "x86_64-linux" "aarch64-linux" ] (
          system:
          let
            pkgs = nixpkgs.legacyPackages.${system};
            package = import ./nix/package.nix {
              inherit pkgs;
              craneLib = crane.mkLib pkgs;
            };
            images = import ./nix/images.nix {
              inherit pkgs package;
              revision = self.rev or self.dirtyRev or "unknown";
            };
          in
          pick { inherit pkgs package images; }
        );
    in
    {
      packages = forEachSystem ({ package, images, ... }: images // { default = package.binary; });
      apps = forEachSystem (import ./nix/apps.nix);
      checks = forEachSystem (import ./nix/checks.nix);
      devShells = forEachSystem (import ./nix/shell.nix);
      formatter = forEachSystem ({ pkgs, ... }: pkgs.nixfmt-tree);
    };
}
