// Elements, forms and dialogs.

/** An element. `attributes` are properties, or functions for events; text is never read as HTML. */
export function element(name, attributes = {}, ...children) {
  const made = Object.assign(document.createElement(name), attributes);
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/** A field of a form, with its label. */
export function field(label, attributes) {
  return element("label", {}, element("span", {}, label), element("input", { required: true, ...attributes }));
}

/** A box to tick. */
export function check(label, name) {
  const box = element("input", { type: "checkbox", name });
  return element("label", { className: "check" }, box, element("span", {}, label));
}

/** A button that runs `action`, shows its error beside it, and is off meanwhile. */
export function button(label, action, attributes = {}) {
  const problem = element("p", { className: "problem", role: "alert" });
  const made = element("button", { type: "button", ...attributes }, label);
  made.onclick = () => run(made, problem, action);
  return element("div", {}, made, problem);
}

/** A form: `submit` gets its values by name. */
export function form(fields, label, submit) {
  const problem = element("p", { className: "problem", role: "alert" });
  const send = element("button", { className: "main" }, label);
  const made = element("form", {}, fields, problem, element("div", { className: "row" }, send));
  made.onsubmit = (event) => {
    event.preventDefault();
    const values = Object.fromEntries(new FormData(made));
    run(send, problem, () => submit(values));
  };
  return made;
}

async function run(control, problem, action) {
  control.disabled = true;
  problem.textContent = "";
  try {
    await action();
  } catch (error) {
    problem.textContent = error.message;
  } finally {
    control.disabled = false;
  }
}

export function section(title, ...children) {
  return element("section", {}, element("h2", {}, title), ...children);
}

/** Shows a page. */
export function show(title, ...children) {
  document.title = title;
  document.querySelector("#page").replaceChildren(element("h1", {}, title), ...children.flat());
}

/** Asks in a dialog. `build` gets a function that ends it with a result; without one, it was cancelled: null. */
export function ask(title, build) {
  const dialog = document.querySelector("#dialog");
  return new Promise((resolve) => {
    let result = null;
    const done = (value) => {
      result = value;
      dialog.close();
    };
    const cancel = element("button", { type: "button", onclick: () => dialog.close() }, "Cancel");
    dialog.replaceChildren(
      element("h2", {}, title),
      ...[build(done)].flat(),
      element("div", { className: "row" }, cancel),
    );
    dialog.onclose = () => resolve(result);
    dialog.showModal();
  });
}
