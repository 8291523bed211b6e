console.log("converged");
